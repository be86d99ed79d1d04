import type { Clock, Timer } from '../../src/index.ts'
import type { Owner, ScheduledEvent, Scheduler } from './scheduler.ts'

/** Small enough that a thousand of them are less than the scheduler's grain, and a power of two, so that differences stay exact. */
const tick = 2 ** -20

interface ProcessTimer {
  event: ScheduledEvent
}

/** What one process takes for the time: its own monotonic origin, its own wall clock, timers that wait while it is paused. */
export class ProcessClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #owner: Owner
  readonly #originMs: number
  readonly #wallOffsetMs: number
  readonly #timers = new Set<ProcessTimer>()
  #ticks = 0
  #tickedAt = 0

  constructor(scheduler: Scheduler, owner: Owner, originMs: number, wallOffsetMs: number) {
    this.#scheduler = scheduler
    this.#owner = owner
    this.#originMs = originMs
    this.#wallOffsetMs = wallOffsetMs
  }

  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Passes a moment, so that what begins now begins at a time of its own. Returns that time. */
  tick(): number {
    if (this.#tickedAt !== this.#scheduler.now) this.#ticks = 0
    this.#tickedAt = this.#scheduler.now
    this.#ticks++
    return this.now()
  }

  now(): number {
    const { now } = this.#scheduler
    return this.#originMs + now + (this.#tickedAt === now ? this.#ticks * tick : 0)
  }

  wallNow(): number {
    return this.#scheduler.now + this.#wallOffsetMs
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    if (!(delayMs <= 2_147_483_647)) throw new RangeError(`A timer cannot run for ${delayMs} ms`)
    const fire = (): void => {
      if (this.#timers.delete(timer)) callback()
    }
    const timer: ProcessTimer = { event: this.#scheduler.after(Math.max(1, delayMs), fire, this.#owner, true) }
    this.#timers.add(timer)
    return timer as unknown as Timer
  }

  clearTimeout(timer: Timer): void {
    const cleared = timer as unknown as ProcessTimer
    cleared.event.cancelled = true
    this.#timers.delete(cleared)
  }

  unref(): void {}
}
