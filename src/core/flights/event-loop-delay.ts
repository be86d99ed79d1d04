const halfLifeMs = 60_000
/** A lease must outlive one renewal interval, a third of it, and one stall: 3 × the stall leaves as much again to spare. */
const stallFactor = 3
const longestFactor = 10

/** The worst recent lateness of our own timers, halved every minute. */
export class EventLoopDelay {
  #worstMs = 0
  #at = 0

  observe(latenessMs: number, nowMs: number): void {
    const current = this.current(nowMs)
    if (latenessMs < current) return
    this.#worstMs = latenessMs
    this.#at = nowMs
  }

  current(nowMs: number): number {
    return this.#worstMs * 0.5 ** ((nowMs - this.#at) / halfLifeMs)
  }

  /** `min(10 × lease, max(lease, 3 × delay))`, in ms. */
  leaseMs(configuredMs: number, nowMs: number): number {
    return Math.round(Math.min(configuredMs * longestFactor, Math.max(configuredMs, stallFactor * this.current(nowMs))))
  }
}
