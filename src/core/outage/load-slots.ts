import type { Clock } from '../ports.ts'

const longestQueue = 1_000
/** The share of the newest load in the running average of how long a load takes. */
const newestShare = 0.2
/** How much longer than the average, and than the deviations from it, a load may take and still be in time. Those in front of a long queue have no time to spare. */
const spareShare = 0.1
const spareDeviations = 2

interface Waiting {
  /** Monotonic ms after which nobody waits any more. */
  readonly until: () => number
  readonly begin: (granted: boolean) => void
}

/**
 * Bounds how many loads run at once while the store cannot coordinate them. Those beyond wait in a queue, unless they would end after their callers have left:
 * these are refused, as soon as that is known.
 */
export class LoadSlots {
  readonly #clock: Clock
  readonly #most: number
  readonly #queue: Waiting[] = []
  /** When those that run began, the oldest first. */
  readonly #begun: number[] = []
  #averageMs = 0
  /** By how much loads take more or less than the average. */
  #deviationMs = 0

  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  get running(): number {
    return this.#begun.length
  }

  get queued(): number {
    return this.#queue.length
  }

  /**
   * True: begin. False: there is no room, now or in time. Each true needs one {@link leave}.
   *
   * @param until Monotonic ms at which the caller leaves.
   * @param stillUntil The same, of all who wait by then: asked when there is room.
   */
  enter(until: number, stillUntil: () => number): true | Promise<boolean> {
    if (this.running < this.#most) {
      this.#begun.push(this.#clock.now())
      return true
    }
    if (this.#queue.length >= longestQueue || !this.#endsBy(until, this.#nextBegin())) return Promise.resolve(false)
    return new Promise(begin => this.#queue.push({ until: stillUntil, begin }))
  }

  /** @param begunAt When the load began; monotonic ms. */
  leave(begunAt: number): void {
    const now = this.#clock.now()
    this.#learn(now - begunAt)
    this.#begun.splice(this.#begun.indexOf(begunAt), 1)
    while (this.running < this.#most) {
      const next = this.#queue.shift()
      if (next === undefined) return
      // What would come too late would cost the source as much as an answer, and one after the other nothing but such loads would run.
      const granted = this.#endsBy(next.until(), now)
      if (granted) this.#begun.push(now)
      next.begin(granted)
    }
  }

  /** When one that queues now will begin: each of those before it takes the place of the one that ends next. */
  #nextBegin(): number {
    const place = this.#queue.length
    const ends = (this.#begun[place % this.#most] ?? 0) + this.#averageMs
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
