import { keyId } from '../flights/flights.ts'
import type { Engine } from '../engine.ts'
import type { Passenger } from '../flights/flight.ts'
import { positionOf } from '../local/fill-copy.ts'
import type { BatchArrival, LoadBatch } from '../flights/load-batch.ts'
import type { Loader } from '../flights/loader-context.ts'
import type { Policy } from '../options/options.ts'
import type { Entry, EntryKey, Token } from '../ports.ts'
import type { OperationOutcome, TracedOperation } from '../tracer.ts'
import { StoreBudget } from './store-budget.ts'

/** When a call began: the calls of one batch begin together. */
export interface CallBeginning {
  readonly began: number
  readonly startedAt: number
  readonly askedAt: number
}

/** One `getOrSet` on its way to an answer. */
export class Call implements EntryKey, Passenger, TracedOperation {
  readonly key: string
  readonly version: number
  readonly began: number
  readonly loader: Loader<unknown>
  readonly policy: Policy
  /** The load that this key shares with others; its `loader` is the batch's. */
  readonly batch: LoadBatch | undefined
  /** Keeps the batch's load from leaving before this call has seen whether it needs it. */
  arrival: BatchArrival | undefined
  /** Monotonic ms. */
  readonly startedAt: number
  /** What this call's own read found past its freshness, which may stand in for a failed load. */
  stale: Entry | undefined
  /** What the read found, while its tags have yet to be looked up. */
  candidate: Entry | undefined
  /** Tokens of stored values that are no answer for this call. */
  readonly seen: Token[] = []
  /** The store failed this call: it goes to the loader without a lease. */
  storeFailed = false
  /** How it was answered. */
  outcome: OperationOutcome = undefined
  /** What the local tier had heard when the call began. */
  readonly askedAt: number
  /** Monotonic ms after which the call waits no longer; set when it first waits. */
  waitUntil: number | undefined
  #budget: StoreBudget | undefined

  constructor(engine: Engine, key: string, loader: Loader<unknown>, policy: Policy, batch?: LoadBatch, began?: CallBeginning) {
    this.key = key
    this.version = policy.version
    this.began = began?.began ?? engine.sequence.next()
    this.loader = loader
    this.policy = policy
    this.batch = batch
    this.startedAt = began?.startedAt ?? engine.clock.now()
    this.askedAt = began?.askedAt ?? positionOf(engine)
  }

  get id(): string {
    return keyId(this)
  }

  budget(engine: Engine): StoreBudget {
    this.#budget ??= new StoreBudget(engine.clock, engine.options.commandTimeoutMs, engine.options.storeBudgetMs)
    return this.#budget
  }
}
