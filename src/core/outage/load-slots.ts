import type { Clock } from '../ports.ts'

const longestQueue = 1_000
/** The share of the newest load in the running average of how long a load takes. */
const newestShare = 0.2

interface Waiting {
  /** Monotonic ms after which nobody waits any more. */
  readonly until: number
  readonly isWanted: () => boolean
  readonly begin: (granted: boolean) => void
}

/**
 * Bounds how many loads run at once while the store cannot coordinate them. Those beyond wait in a queue, unless they would wait longer than their callers
 * do: these are refused at once.
 */
export class LoadSlots {
  readonly #clock: Clock
  readonly #most: number
  readonly #queue: Waiting[] = []
  #running = 0
  #averageMs = 0

  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  get running(): number {
    return this.#running
  }

  get queued(): number {
    return this.#queue.length
  }

  /** True: begin. False: there is no room, now or in time. Each true needs one {@link leave}. */
  enter(until: number, isWanted: () => boolean): true | Promise<boolean> {
    if (this.#running < this.#most) {
      this.#running++
      return true
    }
    const waitMs = ((this.#queue.length + 1) * this.#averageMs) / this.#most
    if (this.#queue.length >= longestQueue || this.#clock.now() + waitMs > until) return Promise.resolve(false)
    return new Promise(begin => this.#queue.push({ until, isWanted, begin }))
  }

  leave(tookMs: number): void {
    this.#averageMs = this.#averageMs === 0 ? tookMs : this.#averageMs + (tookMs - this.#averageMs) * newestShare
    this.#running--
    while (this.#running < this.#most) {
      const next = this.#queue.shift()
      if (next === undefined) return
      const granted = this.#clock.now() <= next.until && next.isWanted()
      if (granted) this.#running++
      next.begin(granted)
    }
  }
}
