import { Redis } from 'ioredis'
import { createEntryCodec } from '../src/codec/entry-codec.ts'
import { resolveCacheOptions } from '../src/core/options/resolve-options.ts'
import { createCache, type Cache, type CallOptions } from '../src/index.ts'
import { Keys } from '../src/redis/keys.ts'
import { redisStore } from '../src/redis/index.ts'
import { median, type Measurement } from './measurement.ts'
import { payloads } from './payloads.ts'
import { playRound, type Round } from './round.ts'

const keyCount = 256
const callsInFlight = 64
const invalidationsPerRound = 50
const entriesPerPipeline = 5_000
/** Long timeouts: on a busy machine a read that is given up would be a load, and no hit. */
const patience = { commandTimeout: '10s', storeBudget: '20s' } as const

interface Contender {
  readonly name: string
  readonly read: (index: number) => Promise<unknown>
}

/** Hits of tagged values beside those of untagged ones, before and after another tag has been invalidated, in interleaved rounds. */
export async function benchTaggedHits(redisUrl: string, rounds: number): Promise<Measurement[]> {
  const open = (name: string): Cache => {
    const namespace = `bench-tags-${process.pid}-${name}`
    return createCache({ namespace, store: redisStore(redisUrl), ttl: '1h', refresh: false, ...patience })
  }
  const [quiet, moved] = [open('quiet'), open('moved')]
  const make = payloads['200 B'] as (index: number) => unknown
  const names = (kind: string): string[] => Array.from({ length: keyCount }, (_, index) => `${kind}:${index}`)
  const [plain, tagged] = [names('plain'), names('tagged')]
  const tags = ['products', 'shop:1']
  try {
    for (const cache of [quiet, moved]) {
      for (const [index, key] of plain.entries()) await cache.set(key, make(index))
      for (const [index, key] of tagged.entries()) await cache.set(key, make(index), { tags })
    }
    await moved.invalidateTags('another')
    const load = (): never => {
      throw new Error('every read is a hit')
    }
    const reader =
      (cache: Cache, keys: readonly string[], options: CallOptions): Contender['read'] =>
      index =>
        cache.getOrSet(keys[index] as string, load, options)
    return await compareHits(
      [
        { name: 'without tags', read: reader(quiet, plain, { ttl: '1h' }) },
        { name: 'two tags, none invalidated since', read: reader(quiet, tagged, { ttl: '1h', tags }) },
        { name: 'two tags that the call names, another invalidated since', read: reader(moved, tagged, { ttl: '1h', tags }) },
        { name: 'two tags that the call does not name, the same', read: reader(moved, tagged, { ttl: '1h' }) },
      ],
      rounds,
    )
  } finally {
    await Promise.all([quiet.close(), moved.close()])
  }
}

async function compareHits(contenders: readonly Contender[], rounds: number): Promise<Measurement[]> {
  const taken = contenders.map((): Round[] => [])
  for (let round = -2; round < rounds; round++) {
    for (const [which, { read }] of contenders.entries()) {
      const result = await playRound(read, keyCount, callsInFlight)
      if (round >= 0) taken[which]?.push(result)
    }
  }
  return contenders.map(({ name }, which) => {
    const own = taken[which] ?? []
    const ratio = median(own.map(({ perSecond }, round) => perSecond / (taken[0]?.[round]?.perSecond ?? Number.NaN)))
    const perSecond = median(own.map(each => each.perSecond))
    return { name, payload: '200 B', inFlight: callsInFlight, perSecond, ratio, cpuUs: median(own.map(each => each.cpuUs)) }
  })
}

/** `invalidateTags` of a tag with so many entries beside one with a single entry, both filled anew for it, in interleaved rounds. */
export async function benchInvalidateTags(redisUrl: string, rounds: number, entries: number): Promise<Measurement[]> {
  const namespace = `bench-invalidate-${process.pid}`
  const options = { namespace, ttl: '1h', ...patience } as const
  const cache = createCache({ ...options, store: redisStore(redisUrl) })
  const raw = new Redis(redisUrl)
  raw.on('error', () => {})
  try {
    await cache.set('one', 1, { tags: ['one'] })
    await fill(raw, options, entries)
    const sample = Array.from({ length: 100 }, (_, nth) => `many:${Math.floor((nth * entries) / 100)}`)
    await expectFound(cache, sample, true)
    const contenders = [
      { name: 'a tag with 1 entry', tag: 'one' },
      { name: `a tag with ${entries.toLocaleString('en')} entries`, tag: 'many' },
    ]
    const taken = contenders.map((): Round[] => [])
    for (let round = -1; round < rounds; round++) {
      for (const [which, { tag }] of contenders.entries()) {
        const result = await timed(() => cache.invalidateTags(tag))
        if (round >= 0) taken[which]?.push(result)
      }
    }
    await expectFound(cache, sample, false)
    return contenders.map(({ name }, which) => {
      const own = taken[which] ?? []
      const ratio = median(own.map(({ perSecond }, round) => perSecond / (taken[0]?.[round]?.perSecond ?? Number.NaN)))
      const perSecond = median(own.map(each => each.perSecond))
      return { name, payload: 'invalidateTags', inFlight: 1, perSecond, ratio, cpuUs: median(own.map(each => each.cpuUs)) }
    })
  } finally {
    await cache.close()
    await raw.quit()
  }
}

async function timed(call: () => Promise<unknown>): Promise<Round> {
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  for (let nth = 0; nth < invalidationsPerRound; nth++) await call()
  const perSecond = (invalidationsPerRound / (performance.now() - startedAt)) * 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  return { perSecond, cpuUs: (user + system) / invalidationsPerRound }
}

/** Stores small entries with the tag `many`, as the cache itself would, many in a pipeline. */
async function fill(raw: Redis, options: { readonly namespace: string }, entries: number): Promise<void> {
  const codec = createEntryCodec(resolveCacheOptions(options).codec)
  const keys = new Keys(options.namespace, '', 0, 512)
  const stamp = (await raw.getBuffer(keys.record)) ?? undefined
  const now = Date.now()
  const times = { createdAt: now, freshUntil: now + 3_600_000, hardUntil: now + 3_600_000, loadMs: 0 }
  const token = Buffer.alloc(16, 7)
  for (let start = 0; start < entries; start += entriesPerPipeline) {
    const pipeline = raw.pipeline()
    for (let index = start; index < Math.min(entries, start + entriesPerPipeline); index++) {
      const key = { key: `many:${index}`, version: 0 }
      pipeline.set(keys.value(key), codec.encode(key, index, times, token, { stamp, names: ['many'] }), 'PX', 3_600_000)
    }
    await pipeline.exec()
  }
}

async function expectFound(cache: Cache, keys: readonly string[], expected: boolean): Promise<void> {
  const found = (await cache.getMany(keys)).filter(value => value !== undefined).length
  if (found !== (expected ? keys.length : 0)) throw new Error(`${found} of ${keys.length} entries are there`)
}
