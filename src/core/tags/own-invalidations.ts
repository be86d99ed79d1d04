import type { Sequence } from '../flights/flight.ts'

const mostRemembered = 1000

/** When this process itself invalidated which tags: all that is known of them while the store is away. */
export class OwnInvalidations {
  readonly #sequence: Sequence
  readonly #tags = new Map<string, number>()
  /** Everything that began before is taken for invalid: the last `clear`, or the newest tag that has been forgotten. */
  #floor = 0
  #tagFloor = 0

  constructor(sequence: Sequence) {
    this.#sequence = sequence
  }

  noteTags(tags: readonly string[]): void {
    const now = this.#sequence.next()
    for (const tag of tags) {
      this.#tags.delete(tag)
      this.#tags.set(tag, now)
    }
    for (const [tag, seq] of this.#tags) {
      if (this.#tags.size <= mostRemembered) return
      this.#tags.delete(tag)
      this.#tagFloor = seq
    }
  }

  noteClear(): void {
    this.#floor = this.#sequence.next()
    this.#tags.clear()
  }

  /** Whether anything with these tags that began at `seq` has been invalidated since. */
  since(seq: number, tags: readonly string[]): boolean {
    if (this.#floor > seq) return true
    return tags.length > 0 && (this.#tagFloor > seq || tags.some(tag => (this.#tags.get(tag) ?? 0) > seq))
  }
}
