import { Redis } from 'ioredis'
import { createEntryCodec } from '../src/codec/entry-codec.ts'
import { createCache } from '../src/index.ts'
import { resolveCacheOptions } from '../src/core/options/resolve-options.ts'
import { redisStore } from '../src/redis/index.ts'
import { payloads } from './payloads.ts'
import { storedKeys } from './stored-keys.ts'
import { median, type Measurement } from './measurement.ts'

const keyCount = 10_000

interface Contender {
  readonly name: string
  readonly read: () => Promise<unknown>
}

interface Taken {
  readonly ms: number
  readonly cpuMs: number
}

/** Hits of 10,000 keys beside one raw `mgetBuffer` of the same keys whose replies are decoded, in interleaved rounds. */
export async function benchBatches(redisUrl: string, rounds = 9): Promise<Measurement[]> {
  const raw = new Redis(redisUrl)
  raw.on('error', () => {})
  const namespace = `bench-batches-${process.pid}`
  // Long timeouts: on a busy machine a read that is given up would be a load, and no hit.
  const options = { namespace, ttl: '1h', refresh: false, commandTimeout: '10s', storeBudget: '20s' } as const
  const codec = createEntryCodec(resolveCacheOptions(options).codec)
  const cache = createCache({ ...options, store: redisStore(redisUrl, { breaker: false }) })
  try {
    const keys = Array.from({ length: keyCount }, (_, index) => `user:${index}`)
    await cache.setMany(keys.map((key, index) => [key, payloads['200 B']?.(index)] as const))
    const stored = await storedKeys(raw, namespace, keys)
    const decode = async (): Promise<unknown[]> => {
      const found = await raw.mgetBuffer(stored)
      return found.map((bytes, index) => {
        const entry = codec.open({ key: keys[index] as string, version: 0 }, bytes as Buffer)
        if ('unreadable' in entry) throw new Error(`key ${index} is ${entry.unreadable}`)
        return entry.value()
      })
    }
    const load = (): never => {
      throw new Error('every read is a hit')
    }
    const contenders: Contender[] = [
      { name: 'ioredis mgetBuffer, each value decoded', read: decode },
      { name: 'getMany', read: () => cache.getMany(keys) },
      { name: 'getOrSetMany', read: () => cache.getOrSetMany(keys, load, { ttl: '1h' }) },
      { name: '10,000 × getOrSet', read: () => Promise.all(keys.map(key => cache.getOrSet(key, load, { ttl: '1h' }))) },
    ]
    return await compare(contenders, rounds)
  } finally {
    await cache.close()
    await raw.quit()
  }
}

async function compare(contenders: readonly Contender[], rounds: number): Promise<Measurement[]> {
  const taken = contenders.map((): Taken[] => [])
  for (let index = -3; index < rounds; index++) {
    for (const [which, { read }] of contenders.entries()) {
      const cpuBefore = process.cpuUsage()
      const startedAt = performance.now()
      await read()
      const ms = performance.now() - startedAt
      const { user, system } = process.cpuUsage(cpuBefore)
      if (index >= 0) taken[which]?.push({ ms, cpuMs: (user + system) / 1000 })
    }
  }
  return contenders.map(({ name }, which) => {
    const own = taken[which] ?? []
    const ratio = median(own.map(({ ms }, index) => (taken[0]?.[index]?.ms ?? Number.NaN) / ms))
    const perSecond = (keyCount / median(own.map(({ ms }) => ms))) * 1000
    const cpuUs = (median(own.map(({ cpuMs }) => cpuMs)) / keyCount) * 1000
    return { name, payload: '200 B', inFlight: keyCount, perSecond, ratio, cpuUs }
  })
}
