import { setTimeout as passed } from 'node:timers/promises'
import { Cluster } from 'ioredis'
import { createCache, isLeaseholdError, type Cache, type StoreProvider } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { sharedNowMs } from '../fleet/messages.ts'
import { serve } from '../fleet/serve.ts'
import type { Operation } from '../histories/operation.ts'
import { RecordedCache } from '../histories/recorded-cache.ts'
import { mostWithin } from './load-times.ts'
import { outageTtlMs, type Commands, type Load, type RedisOfRow, type Seen } from './messages.ts'

let cache: Cache
let recorded: RecordedCache
const operations: Operation[] = []
let running = false
let busy: Promise<void> = Promise.resolve()
let loadersNow = 0
const loadsOf = new Map<string, number[]>()
let vouchedAt: number[] = []
let seen = fresh()

function fresh(): { -readonly [Name in keyof Omit<Seen, 'firstVouchedAt' | 'mostLoadsPerTtl' | 'loadTimes'>]: Seen[Name] } & {
  errors: Record<string, number>
  outcomes: Record<string, number>
} {
  return { calls: 0, errors: {}, overMs: 0, loads: 0, mostLoadersAtOnce: 0, heapMb: 0, outcomes: {} }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

async function load(key: string, ms: number): Promise<string> {
  seen.loads++
  const times = loadsOf.get(key) ?? []
  loadsOf.set(key, times)
  times.push(sharedNowMs())
  seen.mostLoadersAtOnce = Math.max(seen.mostLoadersAtOnce, ++loadersNow)
  await passed(ms)
  loadersNow--
  return `value of ${key}`
}

async function call(key: string, loadMs: number): Promise<void> {
  const startedAt = sharedNowMs()
  seen.calls++
  try {
    await cache.getOrSet(key, () => load(key, loadMs))
  } catch (error) {
    count(seen.errors, isLeaseholdError(error) ? error.code : String(error))
  }
  seen.overMs = Math.max(seen.overMs, sharedNowMs() - startedAt - loadMs)
}

/** Makes a call as often as it says, whether or not earlier ones were answered. */
async function keepCalling(perSecond: number, make: () => Promise<unknown>): Promise<void> {
  const startedAt = sharedNowMs()
  const calls = new Set<Promise<unknown>>()
  let sent = 0
  while (running) {
    const due = Math.floor(((sharedNowMs() - startedAt) * perSecond) / 1000)
    for (; sent < due; sent++) {
      const made = make().finally(() => calls.delete(made))
      calls.add(made)
    }
    seen.heapMb = Math.max(seen.heapMb, process.memoryUsage().heapUsed / 2 ** 20)
    await passed(2)
  }
  await Promise.all(calls)
}

async function keepLoad({ perSecond, keys, loadMs, changing }: Load): Promise<void> {
  const work = [keepCalling(perSecond, () => call(`k${Math.floor(Math.random() * keys)}`, loadMs))]
  if (changing !== undefined) {
    const one = (): number => changing.keys[Math.floor(Math.random() * changing.keys.length)] as number
    work.push(
      keepCalling(changing.readsPerSecond, () => recorded.getOrSet(one(), { takesMs: loadMs })),
      keepCalling(changing.deletesPerSecond, () => recorded.delete(one())),
    )
  }
  await Promise.all(work)
}

function storeOf(redis: RedisOfRow): StoreProvider {
  if (typeof redis === 'string' || !('clusterPorts' in redis)) return redisStore(redis)
  const servers = redis.clusterPorts.map(port => ({ host: '127.0.0.1', port }))
  return redisStore(new Cluster(servers, { lazyConnect: true }))
}

serve<Commands>({
  async open({ namespace, process: number, redis, options }) {
    cache = createCache({ ...options, namespace, store: storeOf(redis), outageTtl: outageTtlMs })
    recorded = new RecordedCache({ cache, process: number, record: operation => operations.push(operation) })
    cache.on('hit', () => {
      count(seen.outcomes, 'hit')
      vouchedAt.push(sharedNowMs())
    })
    cache.on('miss', ({ outcome }) => {
      count(seen.outcomes, outcome)
      if (outcome === 'waited') vouchedAt.push(sharedNowMs())
    })
    cache.on('commit', ({ outcome }) => outcome === 'stored' && vouchedAt.push(sharedNowMs()))
    cache.on('stale', ({ reason }) => count(seen.outcomes, `stale ${reason}`))
    cache.on('breaker', ({ state }) => count(seen.outcomes, `breaker ${state}`))
    cache.on('journal', ({ change }) => count(seen.outcomes, `journal ${change}`))
    while (cache.status().store !== 'up') await passed(5)
  },
  async start(request) {
    running = true
    busy = keepLoad(request)
  },
  async stop() {
    running = false
    await busy
  },
  async recorded() {
    return operations.splice(0)
  },
  async take({ since }) {
    const firstVouchedAt = since === undefined ? undefined : vouchedAt.find(at => at >= since)
    const mostLoadsPerTtl = mostWithin(outageTtlMs, loadsOf.values())
    const taken = { ...seen, firstVouchedAt, mostLoadsPerTtl, loadTimes: Object.fromEntries(loadsOf) }
    for (const [error, times] of Object.entries(recorded.takeErrors()))
      // One that is deferred has been answered.
      if (!error.endsWith(' deferred')) taken.errors[error] = (taken.errors[error] ?? 0) + times
    seen = fresh()
    loadsOf.clear()
    vouchedAt = []
    return taken
  },
  async delete({ keys }) {
    return Promise.all(keys.map(key => cache.delete(key)))
  },
  async ask({ keys, value }) {
    return Promise.all(keys.map(key => cache.getOrSet(key, () => value)))
  },
  async close() {
    await cache.close()
  },
})
