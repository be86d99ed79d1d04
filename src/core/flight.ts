import type { Entry, EntryKey } from './ports.ts'

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
      readonly source: 'load' | 'store' | 'unleased'
    }
  | { readonly kind: 'nothing'; readonly validBefore: number; readonly source: 'load' | 'unleased' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'cooling'; readonly errorCode: string; readonly remainingMs: number }

/** What a call hears from its flight. `restart`: the answer is not for this call. */
export type FlightAnswer = FlightOutcome | { readonly kind: 'restart' }

export interface Passenger {
  /** The sequence number of the call's beginning. */
  readonly began: number
}

interface Seat {
  readonly passenger: Passenger
  readonly land: (answer: FlightAnswer) => void
}

/**
 * The calls of this process that wait for one key together, and how far their common answer is:
 * `asking` (an acquire is on the wire) → `waiting` or `loading` → `committing` → landed.
 * The run itself is in `run-flight.ts`; here is who may take its answer.
 */
export class Flight {
  readonly key: EntryKey
  readonly #sequence: Sequence
  readonly #seats = new Set<Seat>()
  readonly #onDeserted: () => void
  /** When the vouching command now on the wire was sent; Infinity while none is. */
  #sentSeq = Infinity
  #loadSeq = Infinity
  #revoked = false
  #landed = false
  #changed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  constructor(key: EntryKey, sequence: Sequence, onDeserted: () => void) {
    this.key = key
    this.#sequence = sequence
    this.#onDeserted = onDeserted
  }

  get revoked(): boolean {
    return this.#revoked
  }

  get landed(): boolean {
    return this.#landed
  }

  get deserted(): boolean {
    return this.#seats.size === 0
  }

  /** When the load began; Infinity before. */
  get loadSeq(): number {
    return this.#loadSeq
  }

  /** The vouching rule for joiners: the answer must be loaded, or vouched for by a command sent, after the call began. */
  accepts(passenger: Passenger): boolean {
    if (this.#landed) return false
    return passenger.began < (this.#revoked ? this.#loadSeq : this.#sentSeq)
  }

  /** Resolves with the flight's answer. `leave` gives the seat up; when the last one leaves so, the flight is told. */
  join(passenger: Passenger): { readonly answer: Promise<FlightAnswer>; readonly leave: (deserting: boolean) => void } {
    let seat: Seat | undefined
    const answer = new Promise<FlightAnswer>(land => {
      seat = { passenger, land }
      this.#seats.add(seat)
    })
    const leave = (deserting: boolean): void => {
      if (seat === undefined || !this.#seats.delete(seat)) return
      if (deserting && this.#seats.size === 0) this.#onDeserted()
    }
    return { answer, leave }
  }

  /** Resolves when the command on the wire has been answered, or the flight has landed. */
  changed(): Promise<void> {
    if (this.#changed === undefined) {
      let resolve = (): void => {}
      const promise = new Promise<void>(settle => (resolve = settle))
      this.#changed = { promise, resolve }
    }
    return this.#changed.promise
  }

  /** A vouching command leaves now: from here on it closes to new joiners. Returns the sequence number. */
  sending(): number {
    this.#sentSeq = this.#sequence.next()
    return this.#sentSeq
  }

  /** The command was answered and vouched for nothing: open again. */
  answered(): void {
    this.#sentSeq = Infinity
    this.#announceChange()
  }

  beginLoad(): number {
    this.#loadSeq = this.#sequence.next()
    return this.#loadSeq
  }

  /** The load's value is revoked: only calls that began before the load may still take it, the others start over at once. */
  revoke(): void {
    if (this.#loadSeq === Infinity || this.#revoked) return
    this.#revoked = true
    for (const seat of this.#seats) {
      if (seat.passenger.began < this.#loadSeq) continue
      this.#seats.delete(seat)
      seat.land({ kind: 'restart' })
    }
    this.#announceChange()
  }

  land(outcome: FlightOutcome): void {
    if (this.#landed) return
    this.#landed = true
    for (const { passenger, land } of this.#seats) {
      land('validBefore' in outcome && passenger.began >= outcome.validBefore ? { kind: 'restart' } : outcome)
    }
    this.#seats.clear()
    this.#announceChange()
  }

  #announceChange(): void {
    this.#changed?.resolve()
    this.#changed = undefined
  }
}
