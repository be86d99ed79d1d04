/** What became of the commands of the last seconds. */
export interface BreakerWindow {
  readonly commands: number
  /** No reply in time, a lost connection, or a server that cannot serve. */
  readonly failures: number
  /** Took longer than `latency`, those without a reply included. */
  readonly slow: number
}

const slices = 10

/** Counts in slices of time, so that what is old goes by itself: a slice is emptied before it is counted in again, and left out once it is too old. */
export class RollingWindow {
  readonly #sliceMs: number
  readonly #numbers = new Float64Array(slices).fill(-Infinity)
  readonly #commands = new Uint32Array(slices)
  readonly #failures = new Uint32Array(slices)
  readonly #slow = new Uint32Array(slices)

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / slices
  }

  add(now: number, failed: boolean, slow: boolean): void {
    const number = Math.floor(now / this.#sliceMs)
    const slice = number % slices
    if (this.#numbers[slice] !== number) {
      this.#numbers[slice] = number
      this.#commands[slice] = this.#failures[slice] = this.#slow[slice] = 0
    }
    this.#commands[slice]!++
    if (failed) this.#failures[slice]!++
    if (slow) this.#slow[slice]!++
  }

  sum(now: number): BreakerWindow {
    const oldest = Math.floor(now / this.#sliceMs) - slices + 1
    let [commands, failures, slow] = [0, 0, 0]
    for (let slice = 0; slice < slices; slice++) {
      if (!(this.#numbers[slice]! >= oldest)) continue
      commands += this.#commands[slice]!
      failures += this.#failures[slice]!
      slow += this.#slow[slice]!
    }
    return { commands, failures, slow }
  }

  clear(): void {
    this.#numbers.fill(-Infinity)
  }
}
