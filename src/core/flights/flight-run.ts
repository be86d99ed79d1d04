import { decodeValue, recordBase, undecodable, type Engine } from '../engine.ts'
import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'
import { Flight, type FlightOutcome } from './flight.ts'
import type { Flights } from './flights.ts'
import { acquireLease, type Acquisition } from './lease-acquisition.ts'
import type { BatchArrival, LoadBatch } from './load-batch.ts'
import type { Lease } from './lease-keeper.ts'
import { enterSlots } from './enter-slots.ts'
import { runLoader, type LoadResult } from './load-attempt.ts'
import { settleLeased, settleUnleased } from './load-settlement.ts'
import type { Loader, StaleValue } from './loader-context.ts'
import type { Policy } from '../options/options.ts'
import type { Entry, EntryKey, Token } from '../ports.ts'
import { LoaderTags } from '../tags/loader-tags.ts'
import type { StoreBudget } from '../calls/store-budget.ts'

/** What a flight is for, and with what it is run. */
export interface FlightPlan {
  readonly purpose: 'call' | 'force' | 'refresh'
  readonly key: EntryKey
  readonly id: string
  readonly loader: Loader<unknown>
  /** The load that this key shares with others, if it does. */
  readonly batch?: LoadBatch | undefined
  readonly policy: Policy
  readonly budget: StoreBudget
  /** Tokens of values that are no answer, such as one whose bytes could not be read. */
  readonly seen: readonly Token[]
  /** What stands in the store already. */
  readonly stale: Entry | undefined
  /** The store has just failed this call: do not ask it for a lease. */
  readonly storeFailed: boolean
  /** The key does not go through the cache: load, and nothing else. */
  readonly bypass?: boolean
  /** Nobody waits: an outage copy is loaded again. */
  readonly behind?: boolean
  /** Aborted when nobody wants the load any more. */
  readonly abandon: AbortController
}

/** How a run ended, for the refresh that may have started it. `failed`: there is nothing new in the store. */
export type RunResult = 'stored' | 'not-stored' | 'failed' | 'superseded' | { readonly busyMs: number }

/** Starts a flight and opens it to joiners in `registry`, if one is given. */
export function startFlight(
  engine: Engine,
  plan: Omit<FlightPlan, 'abandon'>,
  registry: Flights | undefined,
): { readonly flight: Flight; readonly finished: Promise<RunResult> } {
  const abandon = new AbortController()
  const flight = new Flight(() => {
    registry?.close(plan.id, flight)
    abandon.abort(new DOMException('every caller has left', 'AbortError'))
  })
  registry?.open(plan.id, flight)
  const run = new FlightRun(engine, flight, { ...plan, abandon }, registry)
  const finished = run.run().finally(() => engine.underWay.delete(finished))
  engine.underWay.set(finished, reason => run.abandon(reason))
  return { flight, finished }
}

/** One load attempt for one key, from the acquire to the answer. */
export class FlightRun {
  readonly engine: Engine
  readonly flight: Flight
  readonly plan: FlightPlan
  readonly #registry: Flights | undefined
  readonly #arrival: BatchArrival | undefined
  #giveUp: () => void = () => {}

  constructor(engine: Engine, flight: Flight, plan: FlightPlan, registry: Flights | undefined) {
    this.engine = engine
    this.flight = flight
    this.plan = plan
    this.#registry = registry
    this.#arrival = plan.batch?.expect(plan.purpose === 'refresh')
  }

  async run(): Promise<RunResult> {
    try {
      const { storeFailed, bypass = false } = this.plan
      const acquisition: Acquisition = storeFailed
        ? { kind: 'unleased', outage: !bypass }
        : await acquireLease(this.engine, this.flight, this.plan, this.#arrival)
      return await this.#proceed(acquisition)
    } catch (error) {
      this.land({ kind: 'failed', error })
      return 'failed'
    } finally {
      this.#arrival?.settle()
    }
  }

  /** Answers everyone and opens the key to the next flight. */
  land(outcome: FlightOutcome): void {
    this.#registry?.close(this.plan.id, this.flight)
    this.flight.land(outcome)
  }

  /** Ends the run for `close()`: callers get the reason, the loader's signal aborts, its lease is released. */
  abandon(reason: unknown): void {
    this.land({ kind: 'failed', error: reason })
    this.plan.abandon.abort(reason)
    this.#giveUp()
  }

  async #proceed(acquisition: Acquisition): Promise<RunResult> {
    switch (acquisition.kind) {
      case 'value':
        this.land({ ...acquisition, kind: 'entry', source: 'store' })
        return 'superseded'
      case 'cooling':
        this.land(acquisition)
        return 'failed'
      case 'busy':
        return { busyMs: acquisition.remainingMs }
      case 'deserted':
        this.land({ kind: 'timeout', afterMs: this.plan.policy.hardTimeoutMs, leased: false })
        return 'failed'
      case 'leased':
        return this.#loadLeased(acquisition)
      case 'unleased':
        // A refresh without a lease would load for nothing: its value could not be stored.
        if (this.plan.purpose === 'refresh') return { busyMs: this.plan.policy.leaseMs }
        return this.#loadUnleased(acquisition.outage)
    }
  }

  async #loadLeased({ token, leaseMs, stamp }: Extract<Acquisition, { kind: 'leased' }>): Promise<RunResult> {
    const { leases } = this.engine
    let lost = false
    const lease: Lease = leases.hold(this.plan.key, token, leaseMs, () => {
      lost = true
      this.#onLost(lease)
    })
    const loadSeq = this.#beginLoad()
    const { copies } = this.engine.outage
    const outage = copies.begin(this.plan.key, loadSeq)
    try {
      const load = await this.#load('lease')
      const stopRenewing = (): void => leases.drop(lease)
      return await settleLeased(this, { ...load, loadSeq, outage, token, leaseMs, stamp, isLost: () => lost, stopRenewing })
    } finally {
      copies.end(outage)
    }
  }

  async #loadUnleased(outage: boolean): Promise<RunResult> {
    if (outage) return this.#loadInOutage()
    const loadSeq = this.#beginLoad()
    const load = await this.#load('nothing')
    settleUnleased(this, { ...load, loadSeq, outage: undefined })
    return 'not-stored'
  }

  /** Nobody coordinates such loads between processes, so how many run at once is bounded here, and what they bring is kept for a while. */
  async #loadInOutage(): Promise<RunResult> {
    const { engine, plan, flight } = this
    const { slots, copies } = engine.outage
    const entered = enterSlots(engine, flight, plan, this.#arrival)
    const slot = entered instanceof Promise ? await entered : entered
    if (slot === 'refused') {
      this.land({ kind: 'failed', error: overloaded(plan.key.key) })
      return 'failed'
    }
    // It may have set out with the others of its batch, and then been urged.
    if (slot === 'nested') this.#arrival?.reopen()
    const loadSeq = this.#beginLoad()
    const outage = copies.begin(plan.key, loadSeq)
    try {
      const load = await this.#load(slot === 'nested' ? 'nothing' : 'slot')
      settleUnleased(this, { ...load, loadSeq, outage })
    } finally {
      copies.end(outage)
      if (slot !== 'nested') slots.leave(slot)
    }
    return 'not-stored'
  }

  #beginLoad(): number {
    // Whoever forces a load from now on must not join this one, which will have begun before his call.
    if (this.plan.purpose === 'force') this.#registry?.close(this.plan.id, this.flight)
    const loadSeq = this.engine.sequence.next()
    this.flight.beginLoad(loadSeq)
    return loadSeq
  }

  /**
   * Runs the loader under the hard timeout. After it the callers are answered but the lease, or the slot of an outage, is kept while the loader goes on,
   * one hard timeout longer at most, so that no second loader piles onto a slow source and a hung one does not own the key for ever.
   */
  async #load(holds: 'lease' | 'slot' | 'nothing'): Promise<{ result: LoadResult | undefined; loadMs: number }> {
    const { engine, plan } = this
    const { clock } = engine
    const { hardTimeoutMs } = plan.policy
    const leased = holds === 'lease'
    const startedAt = clock.now()
    const givenUp = new Promise<undefined>(resolve => (this.#giveUp = () => resolve(undefined)))
    let timedOut = false
    let timer = clock.setTimeout(() => {
      timedOut = true
      this.land({ kind: 'timeout', afterMs: hardTimeoutMs, leased })
      plan.abandon.abort(loadTimeout(plan.key.key, hardTimeoutMs))
      if (holds === 'nothing') return this.#giveUp()
      timer = clock.setTimeout(this.#giveUp, hardTimeoutMs)
      clock.unref(timer)
    }, hardTimeoutMs)
    const { aborted } = plan.abandon.signal
    const loading = aborted
      ? Promise.resolve(undefined)
      : runLoader(engine.flights, plan.id, tracedLoader(engine, plan), {
          key: plan.key.key,
          signal: plan.abandon.signal,
          background: plan.purpose === 'refresh',
          tags: new LoaderTags(plan.key.key, plan.policy.tags),
          stale: () => staleValue(engine, plan),
        })
    this.#arrival?.settle()
    const result = await Promise.race([loading, givenUp])
    clock.clearTimeout(timer)
    const loadMs = clock.now() - startedAt
    if (engine.events.topics.load.heard && !aborted) {
      engine.events.emit('load', {
        ...recordBase(engine, plan.key),
        outcome: timedOut ? 'timeout' : loadOutcome(result, plan.abandon.signal),
        durationMs: loadMs,
        leased,
        background: plan.purpose === 'refresh',
        ...(result?.kind === 'failed' ? { error: result.error } : {}),
      })
    }
    return { result, loadMs }
  }

  /** Only a definite "not yours" comes here. Nobody waits on a refresh, so it ends; a load that callers wait on goes on for those it may answer. */
  #onLost(lease: Lease): void {
    const { engine, plan } = this
    if (engine.events.topics.lost.heard) {
      engine.events.emit('lost', { ...recordBase(engine, plan.key), heldMs: engine.clock.now() - lease.grantedAt })
    }
    this.#registry?.close(plan.id, this.flight)
    this.flight.revoke()
    if (plan.purpose === 'refresh') plan.abandon.abort(new DOMException('the lease was lost', 'AbortError'))
  }
}

function overloaded(key: string): LeaseholdError {
  return new LeaseholdError(
    'OVERLOADED',
    `${describeValue(key)} is not loaded: the store does not answer, and maxConcurrentLoads loads run with as many waiting as can be served in time; raise the limit if the source can take more, or allow staleIfError`,
    { key, option: 'maxConcurrentLoads' },
  )
}

export function loadTimeout(key: string, timeoutMs: number): LeaseholdError {
  return new LeaseholdError(
    'LOAD_TIMEOUT',
    `no value for ${describeValue(key)} within ${timeoutMs} ms; raise timeout.hard, or allow staleIfError`,
    {
      key,
      option: 'timeout.hard',
    },
  )
}

/** The load of a batch is traced where it runs, once for all its keys. */
function tracedLoader({ tracer }: Engine, { loader, batch, key: { key }, purpose }: FlightPlan): Loader<unknown> {
  if (tracer === undefined || batch !== undefined) return loader
  return context =>
    tracer.wants() ? tracer.load({ key, background: purpose === 'refresh' }, async () => loader(context)) : loader(context)
}

function loadOutcome(result: LoadResult | undefined, signal: AbortSignal): 'value' | 'nothing' | 'failed' | 'aborted' {
  if (result === undefined) return 'aborted'
  if (result.kind === 'failed') return signal.aborted ? 'aborted' : 'failed'
  return result.kind === 'nothing' ? 'nothing' : 'value'
}

function staleValue(engine: Engine, { key, stale, policy }: FlightPlan): StaleValue | undefined {
  if (stale === undefined) return undefined
  const value = decodeValue(engine, key, stale, policy.schema)
  return value === undecodable ? undefined : { value, ageMs: Math.max(0, engine.store.now(key) - stale.createdAt) }
}
