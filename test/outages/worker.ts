import { setTimeout as passed } from 'node:timers/promises'
import { createCache, isLeaseholdError, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { sharedNowMs } from '../fleet/messages.ts'
import { serve } from '../fleet/serve.ts'
import type { Commands, Load, Seen } from './messages.ts'

const outageTtlMs = 1000
let cache: Cache
let running = false
let busy: Promise<void> = Promise.resolve()
let loadersNow = 0
const loadsOf = new Map<string, number[]>()
let vouchedAt: number[] = []
let seen = fresh()

function fresh(): { -readonly [Name in keyof Omit<Seen, 'firstVouchedAt' | 'mostLoadsPerTtl'>]: Seen[Name] } & {
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

async function keepCalling({ perSecond, keys, loadMs }: Load): Promise<void> {
  const startedAt = sharedNowMs()
  const calls = new Set<Promise<void>>()
  let sent = 0
  while (running) {
    const due = Math.floor(((sharedNowMs() - startedAt) * perSecond) / 1000)
    for (; sent < due; sent++) {
      const made = call(`k${Math.floor(Math.random() * keys)}`, loadMs).finally(() => calls.delete(made))
      calls.add(made)
    }
    seen.heapMb = Math.max(seen.heapMb, process.memoryUsage().heapUsed / 2 ** 20)
    await passed(2)
  }
  await Promise.all(calls)
}

function mostWithinTtl(): number {
  let most = 0
  for (const times of loadsOf.values()) {
    let from = 0
    for (let to = 0; to < times.length; to++) {
      // A process that is late by a few ms has not loaded twice within the ttl.
      while (times[to]! - times[from]! > outageTtlMs - 50) from++
      most = Math.max(most, to - from + 1)
    }
  }
  return most
}

serve<Commands>({
  async open({ namespace, redis, options }) {
    cache = createCache({ ...options, namespace, store: redisStore(redis), outageTtl: outageTtlMs })
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
    busy = keepCalling(request)
  },
  async stop() {
    running = false
    await busy
  },
  async take({ since }) {
    const firstVouchedAt = since === undefined ? undefined : vouchedAt.find(at => at >= since)
    const taken = { ...seen, firstVouchedAt, mostLoadsPerTtl: mostWithinTtl() }
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
