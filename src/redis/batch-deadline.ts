import type { Clock } from '../core/ports.ts'
import type { Breaker, BreakerSample } from './breaker.ts'
import { Deadline } from './deadline.ts'
import { timedOut } from './failures.ts'

/** Reads of one command, in columns: how long each may take, and what rejects it. */
export interface TimedReads {
  readonly rejects: readonly ((error: unknown) => void)[]
  readonly timeouts: readonly number[]
}

/** One timer for a whole batch. Reads with more time than the shortest are looked at again later. */
export class BatchDeadline {
  readonly #clock: Clock
  readonly #sample: BreakerSample
  readonly #reads: TimedReads
  readonly #breaker: Pick<Breaker, 'end'>
  #deadline: Deadline

  constructor(clock: Clock, sample: BreakerSample, reads: TimedReads, breaker: Pick<Breaker, 'end'>) {
    this.#clock = clock
    this.#sample = sample
    this.#reads = reads
    this.#breaker = breaker
    this.#deadline = new Deadline(clock, this.#shortestMs(-1), () => this.#expire())
  }

  stop(): void {
    this.#deadline.stop()
  }

  #expire(): void {
    const elapsedMs = this.#clock.now() - this.#sample.sentAt
    this.#breaker.end(this.#sample, timedOut('a read', elapsedMs, true))
    const { rejects, timeouts } = this.#reads
    for (let i = 0; i < timeouts.length; i++) {
      const timeoutMs = timeouts[i] as number
      // Settling twice is harmless, so nothing is kept of those already given up.
      if (timeoutMs <= elapsedMs + 1) rejects[i]?.(timedOut('a read', timeoutMs, true))
    }
    const nextMs = this.#shortestMs(elapsedMs + 1)
    if (nextMs !== Infinity) this.#deadline = new Deadline(this.#clock, nextMs - elapsedMs, () => this.#expire())
  }

  /** The shortest timeout longer than `ms`. */
  #shortestMs(ms: number): number {
    let shortest = Infinity
    for (const timeoutMs of this.#reads.timeouts) if (timeoutMs > ms && timeoutMs < shortest) shortest = timeoutMs
    return shortest
  }
}
