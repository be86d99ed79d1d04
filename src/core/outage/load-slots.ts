import type { Clock } from '../ports.ts'

const longestQueue = 1_000
/** The share of the newest load in the running average of how long a load takes. */
const newestShare = 0.2
/** How much longer than the average, and than the deviations from it, a load may take and still be in time. Those in front of a long queue have no time to spare. */
const spareShare = 0.1
const spareDeviations = 2

/** The right to run one load, whoever shares it. */
export interface Slot {
  /** Monotonic ms. */
  readonly begunAt: number
  /** How many have yet to leave it. */
  holders: number
}

/** For how long a load is waited for. */
export interface Patience {
  /** Monotonic ms at which its first caller leaves. */
  readonly until: number
  /** The same of all who wait by then: asked when there is room. */
  readonly stillUntil: () => number
}

interface Waiting extends Patience {
  readonly holders: number
  readonly begin: (slot: Slot | undefined) => void
}

/**
 * Bounds how many loads run at once while the store cannot coordinate them. Those beyond wait in a queue, unless they would end after their callers have left:
 * these are refused, as soon as that is known.
 */
export class LoadSlots {
  readonly #clock: Clock
  readonly #most: number
  readonly #queue: Waiting[] = []
  /** Those that run, the oldest first. */
  readonly #running: Slot[] = []
  #averageMs = 0
  /** By how much loads take more or less than the average. */
  #deviationMs = 0

  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  get running(): number {
    return this.#running.length
  }

  get queued(): number {
    return this.#queue.length
  }

  /**
   * Undefined: there is no room, now or in time.
   *
   * @param holders How many share the load: each of them has to {@link leave}.
   */
  enter({ until, stillUntil }: Patience, holders: number): Slot | Promise<Slot | undefined> {
    if (this.running < this.#most) return this.#begin(holders)
    if (this.#queue.length >= longestQueue || !this.#endsBy(until, this.#nextBegin())) return Promise.resolve(undefined)
    return new Promise(begin => this.#queue.push({ until, stillUntil, holders, begin }))
  }

  leave(slot: Slot): void {
    if (--slot.holders > 0) return
    const now = this.#clock.now()
    this.#learn(now - slot.begunAt)
    this.#running.splice(this.#running.indexOf(slot), 1)
    while (this.running < this.#most) {
      const next = this.#queue.shift()
      if (next === undefined) return
      // What would come too late would cost the source as much as an answer, and one after the other nothing but such loads would run.
      next.begin(this.#endsBy(next.stillUntil(), now) ? this.#begin(next.holders) : undefined)
    }
  }

  #begin(holders: number): Slot {
    const slot = { begunAt: this.#clock.now(), holders }
    this.#running.push(slot)
    return slot
  }

  /** When one that queues now will begin: each of those before it takes the place of the one that ends next. */
  #nextBegin(): number {
    const place = this.#queue.length
    const ends = (this.#running[place % this.#most]?.begunAt ?? 0) + this.#averageMs
    return Math.max(this.#clock.now(), ends) + Math.floor(place / this.#most) * this.#averageMs
  }

  #endsBy(until: number, begin: number): boolean {
    return begin + this.#averageMs * (1 + spareShare) + this.#deviationMs * spareDeviations <= until
  }

  #learn(tookMs: number): void {
    if (this.#averageMs === 0) {
      this.#averageMs = tookMs
      return
    }
    const error = tookMs - this.#averageMs
    this.#averageMs += error * newestShare
    this.#deviationMs += (Math.abs(error) - this.#deviationMs) * newestShare
  }
}
