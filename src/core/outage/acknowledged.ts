import { copyOf, strongerOf, subjectOf, type Invalidation } from './invalidation.ts'

/** How long the store may forget what it has acknowledged: replicas that are further behind are not promoted. */
const rememberMs = 60_000
export const mostRemembered = 50_000

interface Remembered {
  readonly invalidation: Invalidation
  /** Monotonic ms. */
  readonly at: number
}

/** The invalidations that the store has acknowledged so lately that another one, in its place, may not have heard of them. */
export class AcknowledgedInvalidations {
  /** By subject, the oldest first. */
  readonly #remembered = new Map<string, Remembered>()
  /** When the newest was acknowledged that there was no room for; monotonic ms. */
  #forgottenAt = -Infinity

  add(invalidation: Invalidation, now: number): void {
    this.#expire(now)
    if (invalidation.kind === 'clear') {
      // It says all that was said before, and more.
      this.#remembered.clear()
      this.#forgottenAt = -Infinity
    }
    const subject = subjectOf(invalidation)
    const stronger = strongerOf(invalidation, this.#remembered.get(subject)?.invalidation)
    this.#remembered.delete(subject)
    this.#remembered.set(subject, { invalidation: copyOf(stronger), at: now })
    if (this.#remembered.size <= mostRemembered) return
    for (const [oldest, { at }] of this.#remembered) {
      this.#forgottenAt = at
      this.#remembered.delete(oldest)
      return
    }
  }

  /** All of them, the oldest first; they are remembered no more. `'clear'`: there were more than could be remembered. */
  take(now: number): readonly Invalidation[] | 'clear' {
    this.#expire(now)
    const all = Array.from(this.#remembered.values(), ({ invalidation }) => invalidation)
    const forgotten = now - this.#forgottenAt < rememberMs
    this.#remembered.clear()
    this.#forgottenAt = -Infinity
    return forgotten ? 'clear' : all
  }

  #expire(now: number): void {
    for (const [subject, { at }] of this.#remembered) {
      if (now - at < rememberMs) return
      this.#remembered.delete(subject)
    }
  }
}
