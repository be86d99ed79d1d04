import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'
import { insideLoaders, loadersAround, type LoadFrame } from './load-attempt.ts'
import type { Loader, LoaderContext } from './loader-context.ts'
import type { LoadSlots, Patience, Slot } from '../outage/load-slots.ts'
import type { Tracer } from '../tracer.ts'

/** What a batch loader is given beside its keys. */
export interface LoadManyContext {
  /** What a loader of each key alone would be given, in the order of the keys: its `stale`, `setTtl`, `skip` and `notModified`. */
  readonly each: readonly LoaderContext[]
  /** Aborts once none of the keys is wanted any more. */
  readonly signal: AbortSignal
  /** A refresh, or a warm-up, that no caller waits for. */
  readonly background: boolean
}

/** What a batch loader returns: a value for each key, in their order. An `Error` fails its key alone; `undefined` stores nothing. */
export type LoadedMany<Value> = readonly (Value | Error)[]

/** Computes the values of many keys at once. */
export type LoadMany<Value> = (
  keys: readonly string[],
  context: LoadManyContext,
) => LoadedMany<Value> | Promise<LoadedMany<Value>>

/** One load for the tracer, however many keys it is for. */
function tracedLoadMany(tracer: Tracer | undefined, loadMany: LoadMany<unknown>): LoadMany<unknown> {
  if (tracer === undefined) return loadMany
  return (keys, context) => {
    if (!tracer.wants()) return loadMany(keys, context)
    const load: { readonly keys: number; failedKeys?: number; error?: Error; readonly background: boolean } = {
      keys: keys.length,
      background: context.background,
    }
    return tracer.load(load, async () => {
      const loaded: LoadedMany<unknown> = await loadMany(keys, context)
      checkLoaded(loaded, keys.length)
      const errors = loaded.filter(value => value instanceof Error)
      load.failedKeys = errors.length
      if (errors[0] !== undefined) load.error = errors[0]
      return loaded
    })
  }
}

/** A load that waits for the batch's: what it was given, and where its value goes. */
interface Seat {
  readonly context: LoaderContext
  readonly frames: readonly LoadFrame[]
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A load of an outage that may not board before the batch has a slot. */
interface Queued {
  readonly arrival: BatchArrival
  readonly patience: Patience
  readonly begin: (slot: Slot | undefined) => void
}

/**
 * One load for the keys of many flights. It leaves once every flight that is expected has got its lease, has learned that it needs none, or waits for
 * another holder; those that get theirs later share the next one.
 */
export class LoadBatch {
  readonly #callers: BatchLane
  readonly #background: BatchLane

  constructor(loadMany: LoadMany<unknown>, tracer: Tracer | undefined) {
    const traced = tracedLoadMany(tracer, loadMany)
    this.#callers = new BatchLane(traced, false)
    this.#background = new BatchLane(traced, true)
  }

  /** The loader of each of the keys. */
  readonly loader: Loader<unknown> = context => this.#lane(context.background).board(context)

  /** Announces a flight. `background`: nobody waits for it, so it has a load of its own, in which no caller's key has to wait. */
  expect(background: boolean): BatchArrival {
    return new BatchArrival(this.#lane(background))
  }

  #lane(background: boolean): BatchLane {
    return background ? this.#background : this.#callers
  }
}

/** One that the batch waits for until it is settled. */
export class BatchArrival {
  readonly #lane: BatchLane
  #open = false

  constructor(lane: BatchLane) {
    this.#lane = lane
    this.reopen()
  }

  reopen(): void {
    if (this.#open) return
    this.#open = true
    this.#lane.expected++
  }

  settle(): void {
    if (!this.#open) return
    this.#open = false
    if (--this.#lane.expected === 0) this.#lane.leave()
  }

  /** A place in the slot that the batch's loads of an outage take together, as they are one load. The batch does not wait for it. Undefined: there is no room. */
  enter(slots: LoadSlots, patience: Patience): Promise<Slot | undefined> {
    return new Promise(begin => {
      this.#lane.queue(slots, { arrival: this, patience, begin })
      this.settle()
    })
  }
}

class BatchLane {
  readonly #loadMany: LoadMany<unknown>
  readonly #background: boolean
  #seats: Seat[] = []
  #queued: Queued[] = []
  #slots: LoadSlots | undefined
  expected = 0

  constructor(loadMany: LoadMany<unknown>, background: boolean) {
    this.#loadMany = loadMany
    this.#background = background
  }

  board(context: LoaderContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#seats.push({ context, frames: loadersAround(), resolve, reject })
    })
  }

  queue(slots: LoadSlots, queued: Queued): void {
    this.#slots = slots
    this.#queued.push(queued)
  }

  leave(): void {
    if (this.#enter()) return
    const seats = this.#seats
    if (seats.length === 0) return
    this.#seats = []
    void this.#load(seats)
  }

  /** Takes one slot for all that need one. True: there was room, and they board now. Else the load leaves without them, and they have one of their own. */
  #enter(): boolean {
    const queued = this.#queued
    if (queued.length === 0 || this.#slots === undefined) return false
    this.#queued = []
    const patience = {
      until: latest(queued, ({ until }) => until),
      stillUntil: () => latest(queued, ({ stillUntil }) => stillUntil()),
    }
    const entered = this.#slots.enter(patience, queued.length)
    if (entered instanceof Promise) {
      void entered.then(slot => admit(queued, slot))
      return false
    }
    admit(queued, entered)
    return true
  }

  async #load(seats: readonly Seat[]): Promise<void> {
    const each = Object.freeze(seats.map(({ context }) => context))
    const wanted = new WantedSignal(each.map(({ signal }) => signal))
    try {
      // By their order the values find their keys.
      const keys = Object.freeze(each.map(({ key }) => key))
      const frames = seats.flatMap(seat => seat.frames)
      const context = { each, signal: wanted.signal, background: this.#background }
      const loaded = await insideLoaders(frames, () => this.#loadMany(keys, context))
      checkLoaded(loaded, keys.length)
      for (const [index, { resolve, reject }] of seats.entries()) {
        const value = loaded[index]
        if (value instanceof Error) reject(value)
        else resolve(value)
      }
    } catch (error) {
      for (const { reject } of seats) reject(error)
    } finally {
      wanted.stop()
    }
  }
}

/** All of them are expected before the first one boards, so that they share a load. */
function admit(queued: readonly Queued[], slot: Slot | undefined): void {
  if (slot !== undefined) for (const { arrival } of queued) arrival.reopen()
  for (const { begin } of queued) begin(slot)
}

function latest(queued: readonly Queued[], time: (patience: Patience) => number): number {
  return queued.reduce((last, { patience }) => Math.max(last, time(patience)), -Infinity)
}

/** Aborts once all of the signals have. */
class WantedSignal {
  readonly #controller = new AbortController()
  readonly #signals: readonly AbortSignal[]
  readonly #onAbort = (): void => this.#lose()
  #wanted: number

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals
    this.#wanted = signals.length
    for (const signal of signals) {
      if (signal.aborted) this.#lose()
      else signal.addEventListener('abort', this.#onAbort, { once: true })
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  stop(): void {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort)
  }

  #lose(): void {
    if (--this.#wanted === 0) this.#controller.abort(this.#signals.find(({ aborted }) => aborted)?.reason)
  }
}

/** @throws LeaseholdError `INVALID_LOADER` unless a batch loader returned as much as it was asked for */
export function checkLoaded(loaded: unknown, count: number): void {
  if (Array.isArray(loaded) && loaded.length === count) return
  const got = Array.isArray(loaded) ? `an array of ${loaded.length}` : describeValue(loaded)
  throw new LeaseholdError(
    'INVALID_LOADER',
    `loadMany must return an array with a value, or an Error, for each of its ${count} keys, in their order; got ${got}`,
    { option: 'loadMany' },
  )
}
