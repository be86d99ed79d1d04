import type { BreakerReason, BreakerState } from '../core/events.ts'
import { StoreError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import type { BreakerSettings } from './breaker-options.ts'
import type { LoopLag } from './loop-lag.ts'
import { RollingWindow } from './rolling-window.ts'

/** How long a probe may stay without a result, as when its connection was lost before it left. */
const probePatienceMs = 1_000
/** Good probes in a row that close it. */
const probesToClose = 3

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly until: number }
  | { readonly kind: 'half-open'; readonly passed: number; readonly probeUntil: number }

/**
 * Keeps reads and fills away from a server that fails or is slow. It counts what goes over the wire, a batch of reads as one command. Invalidations
 * are not asked here: they are always tried, and count.
 */
export class Breaker {
  readonly #settings: BreakerSettings
  readonly #clock: Clock
  readonly #lag: LoopLag
  readonly #onChange: (state: BreakerState, reason: BreakerReason) => void
  readonly #window: RollingWindow
  #state: State = { kind: 'closed' }
  /** Goes up at every change of the state, so that results of commands from before it are told apart. */
  #epoch = 0
  /** Whether everything may pass: what a read looks at. */
  closed = true

  constructor(
    settings: BreakerSettings,
    clock: Clock,
    lag: LoopLag,
    onChange: (state: BreakerState, reason: BreakerReason) => void,
  ) {
    this.#settings = settings
    this.#clock = clock
    this.#lag = lag
    this.#onChange = onChange
    this.#window = new RollingWindow(settings.windowMs)
  }

  get state(): BreakerState {
    return this.#state.kind
  }

  /** Whether a read or a fill may be sent now. While it is half-open that is one at a time. */
  admits(): boolean {
    if (this.closed) return true
    const state = this.#state
    const now = this.#clock.now()
    if (state.kind === 'open') {
      if (now < state.until) return false
      this.#become({ kind: 'half-open', passed: 0, probeUntil: now + probePatienceMs }, 'probe')
      return true
    }
    if (state.kind === 'half-open') {
      if (now < state.probeUntil) return false
      this.#state = { ...state, probeUntil: now + probePatienceMs }
    }
    return true
  }

  /** Lets the next read or fill be a probe: a new connection stands. */
  reconsider(): void {
    if (this.#state.kind === 'open') this.#state = { kind: 'open', until: this.#clock.now() }
  }

  /** A command leaves. */
  begin(): BreakerSample {
    const now = this.#clock.now()
    // Nothing is counted where nothing is decided.
    if (this.#settings.decide === undefined) return { sentAt: now, lagMs: 0, epoch: 0, over: true }
    this.#lag.enter()
    return { sentAt: now, lagMs: this.#lag.total(now), epoch: this.#epoch, over: false }
  }

  /** Its reply came, or it failed. Only the first end of a command counts. */
  end(sample: BreakerSample, error?: unknown): void {
    if (sample.over) return
    sample.over = true
    const now = this.#clock.now()
    this.#lag.leave()
    if (sample.epoch !== this.#epoch) return
    const tookMs = now - sample.sentAt - (this.#lag.total(now) - sample.lagMs)
    const failed = error !== undefined && countsAsFailure(error)
    // What timed out because our own event loop stood still says nothing.
    if (failed && (error as StoreError).code === 'STORE_TIMEOUT' && tookMs < (now - sample.sentAt) / 2) return
    const slow = tookMs > this.#settings.latencyMs
    if (this.#state.kind === 'open') return
    if (this.#state.kind === 'half-open') this.#judgeProbe(now, failed || slow)
    else this.#count(now, failed, slow)
  }

  #count(now: number, failed: boolean, slow: boolean): void {
    this.#window.add(now, failed, slow)
    // A good reply never opens it: after a short outage it may be the one that makes the window large enough to count.
    if (!failed && !slow) return
    const reason = this.#settings.decide?.(this.#window.sum(now))
    if (reason !== undefined) this.#open(now, reason)
  }

  #judgeProbe(now: number, bad: boolean): void {
    if (bad) return this.#open(now, 'probe')
    const passed = this.#state.kind === 'half-open' ? this.#state.passed + 1 : 0
    if (passed < probesToClose) this.#state = { kind: 'half-open', passed, probeUntil: -Infinity }
    else {
      this.#window.clear()
      this.#become({ kind: 'closed' }, 'probe')
    }
  }

  #open(now: number, reason: BreakerReason): void {
    this.#become({ kind: 'open', until: now + this.#settings.openForMs }, reason)
  }

  #become(state: State, reason: BreakerReason): void {
    this.#state = state
    this.#epoch++
    this.closed = state.kind === 'closed'
    this.#onChange(state.kind, reason)
  }
}

/** One command on its way. */
export interface BreakerSample {
  readonly sentAt: number
  readonly lagMs: number
  readonly epoch: number
  over: boolean
}

/** Refusals by rule, such as a missing permission or full memory, are answers: the server works. */
function countsAsFailure(error: unknown): boolean {
  return error instanceof StoreError && (error.code === 'STORE_TIMEOUT' || error.code === 'STORE_UNAVAILABLE')
}

export function shed(): StoreError {
  return new StoreError('STORE_UNAVAILABLE', 'not-executed', 'The breaker keeps reads and loads away from Redis at the moment')
}
