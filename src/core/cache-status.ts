import type { Engine } from './engine.ts'
import type { BreakerState } from './events.ts'
import type { EntryCodec } from './ports.ts'

/** A cache's condition at this moment. */
export interface CacheStatus {
  /** `closing`: `close` waits for what is under way. `closed`: store and bus are `down` for this cache. */
  readonly phase: 'open' | 'closing' | 'closed'
  /** Whether the store answers; `unknown` before the first attempt to connect has ended. */
  readonly store: 'up' | 'down' | 'unknown'
  /** Whether wake-ups arrive. While it is down, waiters poll. */
  readonly bus: 'up' | 'down' | 'unknown'
  /** The breakers that are not closed, by the server they guard. */
  readonly breakers: Readonly<Record<string, 'open' | 'half-open'>>
  /** Invalidations that the store has yet to be told. */
  readonly deferredInvalidations: number
  /** Loads that run without the store's coordination, and those that wait for one of them to end. */
  readonly outageLoads: { readonly running: number; readonly queued: number }
  /** `getOrSet` calls that have not been answered yet. */
  readonly pendingCalls: number
  /** Leases that this process holds for loads that are running. */
  readonly heldLeases: number
  /** Background refreshes that are running. */
  readonly runningRefreshes: number
  /** The values in this process. Undefined without a local tier. */
  readonly local: LocalStatus | undefined
}

export interface LocalStatus {
  /** Whether they are answered without asking the store: its changes are proven to be heard. Never under `'validate'`. */
  readonly trusted: boolean
  /** How long ago the pulse was sent that they are trusted by, in ms: so far they may be behind. Undefined while they are not. */
  readonly pulseAgeMs: number | undefined
  readonly entries: number
  /** What they take in memory, by estimate. */
  readonly bytes: number
}

export function statusOf({ phase, connectivity, outage, pending, leases, refreshes, local, codec }: Engine): CacheStatus {
  return {
    phase,
    store: phase === 'closed' ? 'down' : stateOf(connectivity.store),
    bus: phase === 'closed' ? 'down' : stateOf(connectivity.bus),
    breakers: Object.fromEntries([...connectivity.breakers].filter(isTripped)),
    deferredInvalidations: outage.journal.length,
    outageLoads: { running: outage.slots.running, queued: outage.slots.queued },
    pendingCalls: pending.count,
    heldLeases: leases.held,
    runningRefreshes: refreshes.running,
    local: localStatus(local, codec.memory),
  }
}

function localStatus(local: Engine['local'], memory: EntryCodec['memory']): LocalStatus | undefined {
  if (local !== undefined) return { trusted: local.trusted, pulseAgeMs: local.pulseAgeMs, ...local.size }
  return memory === undefined ? undefined : { trusted: false, pulseAgeMs: undefined, ...memory.size }
}

function isTripped(breaker: [endpoint: string, state: BreakerState]): breaker is [string, 'open' | 'half-open'] {
  return breaker[1] !== 'closed'
}

function stateOf(up: boolean | undefined): 'up' | 'down' | 'unknown' {
  if (up === undefined) return 'unknown'
  return up ? 'up' : 'down'
}
