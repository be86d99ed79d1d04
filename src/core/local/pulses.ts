import type { Clock, Timer } from '../ports.ts'

/** How often each process asks for a pulse. The store sends it once for all of them. */
const everyMs = 1_000

/** Keeps asking the store to prove that its changes are heard, as long as they may be. */
export class Pulses {
  readonly #clock: Clock
  readonly #ask: () => Promise<void>
  #timer: Timer | undefined

  /** @param ask Its failures are nobody's: without pulses the trust ends by itself. */
  constructor(clock: Clock, ask: () => Promise<void>) {
    this.#clock = clock
    this.#ask = ask
  }

  /** Asks now, and from now on. */
  start(): void {
    this.stop()
    this.#beat()
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #beat(): void {
    this.#ask().catch(() => {})
    this.#timer = this.#clock.setTimeout(() => this.#beat(), everyMs)
    this.#clock.unref(this.#timer)
  }
}
