import type { Entry } from '../ports.ts'

/** Counts calls and commands in the order in which they began. It is what the vouching rule compares. */
export class Sequence {
  #last = 0

  next(): number {
    return ++this.#last
  }
}

/**
 * How a flight ended. `validBefore` carries the vouching rule: a call may take the answer if it began before the load did, or before the
 * command that vouched for it was sent.
 */
export type FlightOutcome =
  | {
      readonly kind: 'entry'
      readonly entry: Entry
      readonly validBefore: number
      readonly source: 'load' | 'store' | 'unleased' | 'bypassed'
    }
  | { readonly kind: 'nothing'; readonly validBefore: number; readonly source: 'load' | 'unleased' | 'bypassed' }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** `leased`: the load goes on under its lease. */
  | { readonly kind: 'timeout'; readonly afterMs: number; readonly leased: boolean }
  | { readonly kind: 'cooling'; readonly errorCode: string; readonly remainingMs: number }

/** What a call hears from its flight. `restart`: the answer is not for this call. */
export type FlightAnswer = FlightOutcome | { readonly kind: 'restart' }

export interface Passenger {
  /** The sequence number of the call's beginning. */
  readonly began: number
  /** Monotonic ms after which it waits no longer. */
  readonly waitUntil?: number | undefined
}

/** `answered`: with the flight's answer, or by something that stands in for it meanwhile. */
export type Leaving = 'answered' | 'timed-out' | 'called-off'

interface Seat {
  readonly passenger: Passenger
  readonly land: (answer: FlightAnswer) => void
}

/**
 * The calls of this process that wait for one key together. Anyone may join at any time; who may take the answer is decided when the flight
 * lands, by the vouching rule, and the others start over. What a flight does until then is in `flight-run.ts`.
 */
export class Flight {
  readonly #seats = new Set<Seat>()
  readonly #onDeserted: () => void
  #loadSeq = Infinity
  #onUrged: () => void = () => {}
  /** A loader that runs waits for it. */
  isUrgent = false

  /** @param onDeserted Called when the last caller has left before the landing. */
  constructor(onDeserted: () => void) {
    this.#onDeserted = onDeserted
  }

  get deserted(): boolean {
    return this.#seats.size === 0
  }

  /** Monotonic ms after which nobody waits any more. */
  get waitedUntil(): number {
    let last = -Infinity
    for (const { passenger } of this.#seats) last = Math.max(last, passenger.waitUntil ?? Infinity)
    return last
  }

  /** Resolves with the flight's answer. `leave` gives the seat up; when the last one leaves so that nobody wants the answer any more, the flight is told. */
  join(passenger: Passenger): { readonly answer: Promise<FlightAnswer>; readonly leave: (why: Leaving) => void } {
    let land!: Seat['land']
    const answer = new Promise<FlightAnswer>(resolve => (land = resolve))
    const seat = { passenger, land }
    this.#seats.add(seat)
    const leave = (why: Leaving): void => {
      if (!this.#seats.delete(seat) || this.#seats.size > 0) return
      // A load goes on past its callers' time. What only waits for another's load does so for them alone.
      if (why === 'called-off' || (why === 'timed-out' && this.#loadSeq === Infinity)) this.#onDeserted()
    }
    return { answer, leave }
  }

  /** A loader that runs waits for the flight from now on. */
  urge(): void {
    this.isUrgent = true
    this.#onUrged()
  }

  urged(): Promise<'urged'> {
    return new Promise(resolve => (this.#onUrged = () => resolve('urged')))
  }

  /** Whether anyone has joined since the load began: for them more has to be vouched for than for the others. */
  get hasLateJoiners(): boolean {
    for (const { passenger } of this.#seats) if (passenger.began >= this.#loadSeq) return true
    return false
  }

  beginLoad(loadSeq: number): void {
    this.#loadSeq = loadSeq
  }

  /** The load's value is revoked: calls that began before the load may still take it, the others start over at once. False before the load. */
  revoke(): boolean {
    if (this.#loadSeq === Infinity) return false
    for (const seat of this.#seats) {
      if (seat.passenger.began < this.#loadSeq) continue
      this.#seats.delete(seat)
      seat.land({ kind: 'restart' })
    }
    return true
  }

  /** Answers everyone. Whoever lands a flight has closed it, so a second landing finds nobody. */
  land(outcome: FlightOutcome): void {
    for (const { passenger, land } of this.#seats) {
      land('validBefore' in outcome && passenger.began >= outcome.validBefore ? { kind: 'restart' } : outcome)
    }
    this.#seats.clear()
  }
}
