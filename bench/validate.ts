import { Redis } from 'ioredis'
import { createCache, type Cache } from '../src/index.ts'
import { redisStore } from '../src/redis/index.ts'
import { compare, keyCount, type Contender } from './compare.ts'
import type { Measurement } from './measurement.ts'
import { listOf } from './payloads.ts'
import { storedKeys } from './stored-keys.ts'

/** As many rows as make an uncompressed entry of that size. */
const rowsOf: Readonly<Record<string, number>> = { '4 KiB': 76, '16 KiB': 298, '64 KiB': 1172 }

/**
 * `getOrSet` hits of remembered values beside raw ioredis `getBuffer` of the same bytes, 64 in flight, in interleaved rounds. Sizes are those of entries, which
 * are not compressed.
 */
export async function benchValidate(redisUrl: string, rounds: number): Promise<Measurement[]> {
  const raw = new Redis(redisUrl)
  raw.on('error', () => {})
  const namespace = `bench-validate-${process.pid}`
  const open = (mode: 'off' | 'validate'): Cache =>
    createCache({
      namespace,
      // A busy machine is no reason to keep reads away.
      store: redisStore(redisUrl, { breaker: false }),
      ttl: '1h',
      refresh: false,
      values: 'freeze',
      compression: false,
      local: { mode, maxBytes: 2 ** 30 },
      // On a busy machine a read that is given up would be a load, and no hit.
      commandTimeout: '10s',
      storeBudget: '20s',
    })
  const [freeze, validate] = [open('off'), open('validate')]
  const measurements: Measurement[] = []
  try {
    for (const [payload, rows] of Object.entries(rowsOf)) {
      const keys = Array.from({ length: keyCount }, (_, index) => `${payload.replace(' ', '')}:${index}`)
      for (const [index, key] of keys.entries()) await validate.set(key, listOf(index, rows))
      const stored = await storedKeys(raw, namespace, keys)
      const load = (): never => {
        throw new Error('every read is a hit')
      }
      const contenders: Contender[] = [
        { name: 'ioredis getBuffer', payload, read: index => raw.getBuffer(stored[index] as string) },
        { name: "values 'freeze'", payload, read: index => freeze.getOrSet(keys[index] as string, load, { ttl: '1h' }) },
        { name: "local 'validate'", payload, read: index => validate.getOrSet(keys[index] as string, load, { ttl: '1h' }) },
      ]
      measurements.push(...(await compare(contenders, 64, rounds)))
    }
  } finally {
    await Promise.all([freeze.close(), validate.close()])
    await raw.quit()
  }
  return measurements
}
