import { Redis } from 'ioredis'
import { createCache, type Cache } from '../src/index.ts'
import { redisStore } from '../src/redis/index.ts'
import { compare, keyCount, type Contender } from './compare.ts'
import type { Measurement } from './measurement.ts'
import { payloads } from './payloads.ts'
import { storedKeys } from './stored-keys.ts'

/** `getOrSet` hits against Redis beside raw ioredis `getBuffer` of the same bytes, in interleaved rounds. */
export async function benchHitPath(redisUrl: string, rounds = 9): Promise<Measurement[]> {
  const raw = new Redis(redisUrl)
  raw.on('error', () => {})
  const namespace = `bench-${process.pid}`
  // Long timeouts: on a busy machine a read that is given up would be a load, and no hit.
  const patience = { commandTimeout: '10s', storeBudget: '20s' } as const
  const open = (values: 'copy' | 'freeze'): Cache =>
    createCache({ namespace, store: redisStore(redisUrl), ttl: '1h', refresh: false, values, ...patience })
  const copy = open('copy')
  const freeze = open('freeze')
  const measurements: Measurement[] = []
  try {
    for (const [payload, make] of Object.entries(payloads)) {
      const keys = Array.from({ length: keyCount }, (_, index) => `${payload.replace(' ', '')}:${index}`)
      for (const [index, key] of keys.entries()) await copy.set(key, make(index))
      const stored = await storedKeys(raw, namespace, keys)
      const load = (): never => {
        throw new Error('every read is a hit')
      }
      const contenders: Contender[] = [
        { name: 'ioredis getBuffer', payload, read: index => raw.getBuffer(stored[index] as string) },
        { name: "getOrSet, values 'copy'", payload, read: index => copy.getOrSet(keys[index] as string, load, { ttl: '1h' }) },
        {
          name: "getOrSet, values 'freeze'",
          payload,
          read: index => freeze.getOrSet(keys[index] as string, load, { ttl: '1h' }),
        },
      ]
      for (const inFlight of [64, 512, 1]) measurements.push(...(await compare(contenders, inFlight, rounds)))
    }
  } finally {
    await Promise.all([copy.close(), freeze.close()])
    await raw.quit()
  }
  return measurements
}
