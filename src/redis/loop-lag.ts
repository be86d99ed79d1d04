import type { Clock } from '../core/ports.ts'

const tickMs = 50

/** How much time the event loop has lost, by the lateness of a timer that ticks while commands are on their way. It is not Redis's doing. */
export class LoopLag {
  readonly #clock: Clock
  #totalMs = 0
  #dueAt: number | undefined
  #underWay = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** All that was lost up to `now`, as far as it was watched. */
  total(now: number): number {
    return this.#dueAt !== undefined && now > this.#dueAt ? this.#totalMs + now - this.#dueAt : this.#totalMs
  }

  enter(): void {
    this.#underWay++
    if (this.#dueAt === undefined) this.#arm()
  }

  leave(): void {
    this.#underWay--
  }

  #arm(): void {
    this.#dueAt = this.#clock.now() + tickMs
    this.#clock.unref(this.#clock.setTimeout(() => this.#tick(), tickMs))
  }

  #tick(): void {
    this.#totalMs = this.total(this.#clock.now())
    this.#dueAt = undefined
    if (this.#underWay > 0) this.#arm()
  }
}
