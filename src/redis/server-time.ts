interface Sample {
  readonly serverMs: number
  readonly sentAt: number
  readonly receivedAt: number
}

/** A sample that is worse than the one in use by more than this is not taken while the one in use is young. */
const worseByMs = 2
const youngMs = 5_000
/** How far two honest clocks may drift apart between samples. */
const driftMs = 2

/**
 * The server's clock, from samples of `TIME`. A sample was taken somewhere between its sending and its arrival: counted from the
 * sending it is never behind the server, counted from the arrival never ahead of it.
 */
export class ServerTime {
  #sample: Sample | undefined

  get known(): boolean {
    return this.#sample !== undefined
  }

  /** Server ms: never behind, ahead by at most the sample's round trip. */
  now(monotonicMs: number): number {
    const sample = this.#sample
    return sample === undefined ? NaN : sample.serverMs + (monotonicMs - sample.sentAt)
  }

  /** Server ms: never ahead, behind by at most the sample's round trip. */
  earliest(monotonicMs: number): number {
    const sample = this.#sample
    return sample === undefined ? NaN : sample.serverMs + (monotonicMs - sample.receivedAt)
  }

  /** Forgets the samples: another server may answer from now on. */
  reset(): void {
    this.#sample = undefined
  }

  /**
   * Takes a sample. One with a long round trip, as after an event-loop stall, would put the two ends far apart, so it is left out
   * while a better one still stands. False: ask again soon.
   */
  take(sample: Sample): boolean {
    const current = this.#sample
    if (current !== undefined && sample.receivedAt - current.receivedAt < youngMs && agree(current, sample)) {
      const currentRoundTrip = current.receivedAt - current.sentAt
      if (sample.receivedAt - sample.sentAt > currentRoundTrip * 2 + worseByMs) return false
    }
    this.#sample = sample
    return true
  }
}

/** Whether both samples can be of one clock. */
function agree(a: Sample, b: Sample): boolean {
  return (
    a.serverMs - a.receivedAt <= b.serverMs - b.sentAt + driftMs && b.serverMs - b.receivedAt <= a.serverMs - a.sentAt + driftMs
  )
}

/** The reply of `TIME` in ms with fractions, or NaN. */
export function parseTime(reply: unknown): number {
  if (!Array.isArray(reply)) return NaN
  return Number(String(reply[0])) * 1000 + Number(String(reply[1])) / 1000
}
