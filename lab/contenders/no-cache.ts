import type { Contender, ContenderSettings } from './contender.ts'

/** Every read is a query. */
export function openNoCache({ load }: ContenderSettings): Contender {
  let misses = 0
  return {
    read(id) {
      misses++
      return load(id)
    },
    remove: async () => 'applied',
    get misses() {
      return misses
    },
    async close() {},
  }
}
