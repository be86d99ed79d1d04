import { LRUCache } from 'lru-cache'
import { createCache, memoryStore, type Cache } from '../src/index.ts'
import { payloads } from './payloads.ts'
import { median, type Measurement } from './measurement.ts'

interface Contender {
  readonly name: string
  readonly read: (key: string) => unknown
}

const keyCount = 256
const callsPerRound = 200_000

/** Hits of a trusted local tier beside a bare `lru-cache`: `getOrSet` beside its `get` behind an async function, `peek` beside its `get`. */
export async function benchLocalTier(rounds: number): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const [payload, make] of Object.entries(payloads)) {
    const keys = Array.from({ length: keyCount }, (_, index) => `${payload.replace(' ', '')}:${index}`)
    const values = new Map(keys.map((key, index) => [key, make(index)]))
    const bare = new LRUCache<string, object>({ max: 10_000 })
    for (const [key, value] of values) bare.set(key, value as object)
    const cache = createCache({
      namespace: `bench-${process.pid}`,
      store: memoryStore(),
      values: 'freeze',
      refresh: false,
      local: { mode: 'trust', ttl: '1h' },
    })
    for (const [key, value] of values) await cache.set(key, value, { ttl: '1h' })
    for (const key of keys) await remembered(cache, key)
    const load = (): never => {
      throw new Error('every read is a hit')
    }
    const behindAsync = async (key: string): Promise<object | undefined> => bare.get(key)
    const awaited: readonly Contender[] = [
      { name: 'lru-cache get behind an async function', read: behindAsync },
      { name: "getOrSet, local 'trust'", read: key => cache.getOrSet(key, load, { ttl: '1h' }) },
    ]
    const atOnce: readonly Contender[] = [
      { name: 'lru-cache get', read: key => bare.get(key) },
      { name: 'peek', read: key => cache.peek(key) },
    ]
    measurements.push(...(await compare(payload, awaited, keys, rounds, readAwaited)))
    measurements.push(...(await compare(payload, atOnce, keys, rounds, readAtOnce)))
    await cache.close()
  }
  return measurements
}

/** Copies are kept once the store has proved that its changes are heard. */
async function remembered(cache: Cache, key: string): Promise<void> {
  while (cache.peek(key) === undefined) await cache.getOrSet(key, () => expectHit())
}

function expectHit(): never {
  throw new Error('every read is a hit')
}

type Run = (read: Contender['read'], keys: readonly string[]) => Promise<void>

const readAwaited: Run = async (read, keys) => {
  for (let call = 0; call < callsPerRound; call++) await read(keys[call % keyCount] as string)
}

const readAtOnce: Run = async (read, keys) => {
  for (let call = 0; call < callsPerRound * 5; call++) read(keys[call % keyCount] as string)
}

async function compare(
  payload: string,
  contenders: readonly Contender[],
  keys: readonly string[],
  rounds: number,
  run: Run,
): Promise<Measurement[]> {
  const calls = run === readAwaited ? callsPerRound : callsPerRound * 5
  const perSecond = contenders.map((): number[] => [])
  const cpuUs = contenders.map((): number[] => [])
  for (let round = -1; round < rounds; round++) {
    for (const [which, { read }] of contenders.entries()) {
      const cpuBefore = process.cpuUsage()
      const startedAt = performance.now()
      await run(read, keys)
      const { user, system } = process.cpuUsage(cpuBefore)
      if (round < 0) continue
      perSecond[which]?.push((calls / (performance.now() - startedAt)) * 1000)
      cpuUs[which]?.push((user + system) / calls)
    }
  }
  return contenders.map(({ name }, which) => {
    const own = perSecond[which] ?? []
    const ratio = median(own.map((each, round) => each / (perSecond[0]?.[round] ?? Number.NaN)))
    return { name, payload, inFlight: 1, perSecond: median(own), ratio, cpuUs: median(cpuUs[which] ?? []) }
  })
}
