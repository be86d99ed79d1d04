import type { Call } from './call.ts'
import { recordBase, type Engine } from '../engine.ts'
import type { RefreshRecord } from '../events.ts'
import { startFlight, type RunResult } from '../flights/flight-run.ts'
import type { Policy } from '../options/options.ts'
import type { Entry } from '../ports.ts'
import { StoreBudget } from './store-budget.ts'

const mostQuietKeys = 10_000

/**
 * Refreshes behind the callers' backs. An offer takes the lease first, never waits for it, and after "busy", or when nothing was stored, stays quiet for that
 * key until the lease ends: so the fleet refreshes once, in a bounded pool.
 */
export class RefreshAhead {
  readonly #most: number
  readonly #running = new Set<string>()
  /** Until when (monotonic ms) a key is not offered again. */
  readonly #quietUntil = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** How many refreshes are running. */
  get running(): number {
    return this.#running.size
  }

  offer(engine: Engine, call: Call, entry: Entry, reason: RefreshRecord['reason']): void {
    const { id } = call
    if (this.#running.has(id) || engine.phase !== 'open' || this.#isQuiet(engine, id)) return
    if (this.#running.size >= this.#most) return reportRefresh(engine, call, reason, 'full')
    this.#running.add(id)
    void this.#refresh(engine, call, entry, reason)
  }

  async #refresh(engine: Engine, call: Call, entry: Entry, reason: RefreshRecord['reason']): Promise<void> {
    const { id, loader, batch, policy } = call
    const key = { key: call.key, version: call.version }
    const { commandTimeoutMs, storeBudgetMs } = engine.options
    const budget = new StoreBudget(engine.clock, commandTimeoutMs, storeBudgetMs)
    const plan = {
      purpose: 'refresh',
      key,
      id,
      loader,
      batch,
      policy,
      budget,
      seen: [entry.token],
      stale: entry,
      storeFailed: false,
    } as const
    const result = await startFlight(engine, plan, undefined).finished
    this.#running.delete(id)
    const quietMs = pauseMs(result, policy)
    if (quietMs > 0) this.#quieten(id, engine.clock.now() + quietMs)
    reportRefresh(engine, call, reason, outcomeOf(result))
  }

  #isQuiet(engine: Engine, id: string): boolean {
    const until = this.#quietUntil.get(id)
    if (until === undefined) return false
    if (engine.clock.now() < until) return true
    this.#quietUntil.delete(id)
    return false
  }

  /** Forgetting a key early costs one acquire at most, so the oldest make room. */
  #quieten(id: string, until: number): void {
    if (this.#quietUntil.size >= mostQuietKeys) {
      for (const oldest of this.#quietUntil.keys()) {
        this.#quietUntil.delete(oldest)
        break
      }
    }
    this.#quietUntil.set(id, until)
  }
}

/** How long not to offer the key again. What could not be stored now would be loaded for nothing at the next read. */
function pauseMs(result: RunResult, policy: Policy): number {
  if (typeof result === 'object') return result.busyMs
  if (result === 'failed') return Math.max(policy.leaseMs, policy.errorCooldownMs)
  return result === 'not-stored' ? policy.leaseMs : 0
}

function outcomeOf(result: RunResult): RefreshRecord['outcome'] {
  if (typeof result === 'object') return 'busy'
  return result === 'stored' ? 'refreshed' : result
}

function reportRefresh(engine: Engine, call: Call, reason: RefreshRecord['reason'], outcome: RefreshRecord['outcome']): void {
  if (!engine.events.topics.refresh.heard) return
  engine.events.emit('refresh', { ...recordBase(engine, call), reason, outcome })
}
