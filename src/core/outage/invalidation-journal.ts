import type { Sequence } from '../flights/flight.ts'
import { keyId } from '../flights/flights.ts'
import type { EntryKey } from '../ports.ts'
import { OwnInvalidations } from '../tags/own-invalidations.ts'
import { AcknowledgedInvalidations, mostRemembered } from './acknowledged.ts'
import { copyOf, covers, strongerOf, subjectOf, type Invalidation } from './invalidation.ts'

/** An invalidation that the store has yet to be told. */
export interface Deferred {
  readonly invalidation: Invalidation
  /** Its place in the order of all that were ever deferred. */
  readonly position: number
  /** The store had acknowledged it, and may have forgotten it. */
  readonly doubted: boolean
}

/** What became of {@link InvalidationJournal.doubt}. */
export interface Doubted {
  /** How many wait again, or are replaced: those at least that could be remembered. */
  readonly count: number
  /** There were more than could be remembered, so that the namespace is cleared in their place. */
  readonly overflowed: boolean
}

/** Beyond it the namespace is cleared: nothing that was promised is forgotten. */
const mostDeferred = 10_000

/**
 * The invalidations of this process that the store has not been told, or may have forgotten, each subject once. While one is here, nothing that the store says
 * of what it invalidates is believed.
 */
export class InvalidationJournal {
  readonly #deferred = new Map<string, Deferred>()
  readonly #acknowledged = new AcknowledgedInvalidations()
  /** Tags that were here, by when the store was told. */
  readonly #toldTags: OwnInvalidations
  #tags = 0
  #doubted = 0
  #clears = false
  #position = 0
  /** Goes up whenever the store may have forgotten something: what was read across that moment is not to be believed. */
  doubts = 0

  constructor(sequence: Sequence) {
    this.#toldTags = new OwnInvalidations(sequence)
  }

  get length(): number {
    return this.#deferred.size
  }

  /** The present, to be taken before the store is told something: what is deferred later is not told by it. */
  get position(): number {
    return this.#position
  }

  /** Whether the whole namespace, the key, or a neighbouring version that is invalidated with it, waits. */
  blocks({ key, version }: EntryKey): boolean {
    if (this.#deferred.size === 0) return false
    if (this.#clears) return true
    for (let each = version - 1; each <= version + 1; each++) if (this.#deferred.has(keyId({ key, version: each }))) return true
    return false
  }

  /**
   * Whether one of the tags waits, or did so when the store was asked.
   *
   * @param askedAt The sequence number at which it was asked, or an earlier one.
   */
  blocksTags(tags: readonly string[], askedAt: number): boolean {
    if (tags.length === 0) return false
    if (this.#tags > 0 && tags.some(tag => this.#deferred.has(subjectOf({ kind: 'tag', tag })))) return true
    return this.#toldTags.since(askedAt, tags)
  }

  /** Says of each of `keys`, once their read is answered, whether what was read is to be believed. */
  observe(keys: readonly string[], version: number): (key: EntryKey) => boolean {
    const { doubts } = this
    const blocked = this.#deferred.size === 0 ? undefined : new Set(keys.filter(key => this.blocks({ key, version })))
    return ({ key }) => this.doubts === doubts && blocked?.has(key) !== true
  }

  /** Returns how many have become one clear of the namespace, because there was no room for more; as a rule 0. */
  defer(invalidation: Invalidation): number {
    const isNew = !this.#deferred.has(subjectOf(invalidation))
    if (isNew && this.#deferred.size - this.#doubted >= mostDeferred) return this.#overflow()
    this.#put(invalidation, false)
    return 0
  }

  /** Whether it still waits to be told. */
  has(deferred: Deferred): boolean {
    return this.#deferred.get(subjectOf(deferred.invalidation)) === deferred
  }

  /** The store has acknowledged `invalidation`, which was sent at `position`. What was deferred since still waits. */
  acknowledge(invalidation: Invalidation, position: number, now: number): void {
    if (invalidation.kind === 'clear') {
      for (const [subject, deferred] of this.#deferred) if (deferred.position <= position) this.#delete(subject)
    } else {
      const subject = subjectOf(invalidation)
      const waiting = this.#deferred.get(subject)
      const isTold = waiting !== undefined && covers(invalidation, waiting.invalidation)
      if (isTold && waiting.position <= position) this.#delete(subject)
    }
    this.#acknowledged.add(invalidation, now)
  }

  /** The store may have lost what it acknowledged lately: all of that is to be told again. */
  doubt(now: number): Doubted {
    this.doubts++
    const recent = this.#acknowledged.take(now)
    if (recent === 'clear') return { count: this.#overflow() + mostRemembered, overflowed: true }
    for (const invalidation of recent) {
      const waiting = this.#deferred.get(subjectOf(invalidation))
      if (waiting === undefined || !covers(waiting.invalidation, invalidation)) this.#put(invalidation, waiting?.doubted ?? true)
    }
    return { count: recent.length, overflowed: false }
  }

  /** What is to be told: a clear before all others, which it may make superfluous, and these the oldest first. */
  entries(): Deferred[] {
    const all = [...this.#deferred.values()]
    return this.#clears ? all.toSorted((one, other) => rankOf(one) - rankOf(other)) : all
  }

  #put(invalidation: Invalidation, doubted: boolean): void {
    const subject = subjectOf(invalidation)
    const stronger = strongerOf(invalidation, this.#deferred.get(subject)?.invalidation)
    this.#delete(subject)
    this.#deferred.set(subject, { invalidation: copyOf(stronger), position: ++this.#position, doubted })
    if (stronger.kind === 'tag') this.#tags++
    if (stronger.kind === 'clear') this.#clears = true
    if (doubted) this.#doubted++
  }

  #delete(subject: string): void {
    const deferred = this.#deferred.get(subject)
    if (deferred === undefined) return
    this.#deferred.delete(subject)
    if (deferred.doubted) this.#doubted--
    if (deferred.invalidation.kind === 'clear') this.#clears = false
    if (deferred.invalidation.kind !== 'tag') return
    this.#tags--
    this.#toldTags.noteTags([deferred.invalidation.tag])
  }

  #overflow(): number {
    const count = this.#deferred.size
    for (const subject of this.#deferred.keys()) this.#delete(subject)
    this.#put({ kind: 'clear' }, false)
    return count
  }
}

function rankOf({ invalidation }: Deferred): number {
  return invalidation.kind === 'clear' ? 0 : 1
}
