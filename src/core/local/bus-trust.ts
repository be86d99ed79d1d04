/** What the bus has to say, message by message. */
export type BusVerdict =
  /** Nothing was missed. */
  | 'whole'
  /** Something was missed, or may have been: what was remembered before is worth nothing. */
  | 'gap'

/**
 * How long what the bus has told may be relied on. Every change is numbered, so that a lost one shows at the next; a pulse that comes back
 * through the bus shows that it is alive. Without pulses the trust ends by itself, which a paused process notices at its first look at the clock.
 */
export class BusTrust {
  readonly #detectionMs: number
  /** The number of the newest change heard; undefined until a pulse has told where we are. */
  #sequence: number | undefined
  #until = -Infinity

  /** @param detectionMs How long after a pulse was sent the bus is trusted. */
  constructor(detectionMs: number) {
    this.#detectionMs = detectionMs
  }

  /** Monotonic ms; in the past when the bus is not trusted. */
  get until(): number {
    return this.#until
  }

  /** Monotonic ms when the newest pulse heard was sent, at the latest; in the past when there was none. */
  get pulsedAt(): number {
    return this.#until - this.#detectionMs
  }

  /** The bus went down, or is new: nothing is known until the next pulse. */
  lose(): void {
    this.#sequence = undefined
    this.#until = -Infinity
  }

  hearChange(sequence: number): BusVerdict {
    const expected = this.#sequence === undefined ? undefined : this.#sequence + 1
    if (expected === undefined) return 'gap'
    this.#sequence = sequence
    return sequence === expected ? 'whole' : 'gap'
  }

  /** @param sentAt When the pulse was sent, at the latest as early as it was; monotonic ms. */
  hearPulse(sequence: number, sentAt: number): BusVerdict {
    const verdict = sequence === this.#sequence ? 'whole' : 'gap'
    this.#sequence = sequence
    this.#until = Math.max(this.#until, sentAt + this.#detectionMs)
    return verdict
  }
}
