import { createCache, type Cache } from '../src/index.ts'
import { redisStore } from '../src/redis/index.ts'
import { compare, keyCount, type Contender } from './compare.ts'
import type { Measurement } from './measurement.ts'
import { payloads } from './payloads.ts'

/** `getOrSet` hits with the breaker beside the same without one, in interleaved rounds. A second cache without one shows what the comparison is worth. */
export async function benchBreaker(redisUrl: string, rounds: number): Promise<Measurement[]> {
  const namespace = `bench-breaker-${process.pid}`
  // Long timeouts: on a busy machine a read that is given up would be a load, and no hit. Nor may the breaker open, however slow the machine is.
  const patience = { commandTimeout: '10s', storeBudget: '20s' } as const
  const open = (breaker: false | { latency: '10s' }): Cache =>
    createCache({ namespace, store: redisStore(redisUrl, { breaker }), ttl: '1h', refresh: false, values: 'freeze', ...patience })
  const [without, again, withBreaker] = [open(false), open(false), open({ latency: '10s' })]
  const payload = '200 B'
  const make = payloads[payload] as (index: number) => unknown
  const keys = Array.from({ length: keyCount }, (_, index) => `k:${index}`)
  const load = (): never => {
    throw new Error('every read is a hit')
  }
  const contender = (name: string, cache: Cache): Contender => ({
    name,
    payload,
    read: index => cache.getOrSet(keys[index] as string, load, { ttl: '1h' }),
  })
  try {
    for (const [index, key] of keys.entries()) await without.set(key, make(index))
    const contenders = [
      contender('without', without),
      contender('without, again', again),
      contender('with a breaker', withBreaker),
    ]
    const measurements: Measurement[] = []
    for (const inFlight of [64, 1]) measurements.push(...(await compare(contenders, inFlight, rounds)))
    return measurements
  } finally {
    await Promise.all([without, again, withBreaker].map(cache => cache.close()))
  }
}
