import { keyId } from '../flights/flights.ts'
import type { EntryKey } from '../ports.ts'

/** An invalidation that the store has yet to be told. */
export interface Deferred {
  readonly key: EntryKey
}

/** How long the store may forget what it has acknowledged: replicas that are further behind are not promoted. */
const rememberMs = 60_000
const mostDeferred = 10_000
const mostRemembered = 50_000

/**
 * The invalidations of this process that the store has not been told, or may have forgotten. Each key is there once: every one of them is a removal, so the
 * last says it all. While a key is here, nothing that the store says of it is believed.
 */
export class InvalidationJournal {
  readonly #deferred = new Map<string, Deferred>()
  /** Acknowledged ones and when (monotonic ms), oldest first. */
  readonly #acknowledged = new Map<string, { readonly key: EntryKey; readonly at: number }>()
  /** Goes up whenever the store may have forgotten something: what was read across that moment is not to be believed. */
  doubts = 0

  get length(): number {
    return this.#deferred.size
  }

  /** Whether the key, or a neighbouring version that is removed with it, waits to be removed. */
  blocks({ key, version }: EntryKey): boolean {
    if (this.#deferred.size === 0) return false
    for (let each = version - 1; each <= version + 1; each++) if (this.#deferred.has(keyId({ key, version: each }))) return true
    return false
  }

  /** Says of each of `keys`, once their read is answered, whether what was read is to be believed. */
  observe(keys: readonly string[], version: number): (key: EntryKey) => boolean {
    const { doubts } = this
    const blocked = this.#deferred.size === 0 ? undefined : new Set(keys.filter(key => this.blocks({ key, version })))
    return ({ key }) => this.doubts === doubts && blocked?.has(key) !== true
  }

  /** False, and nothing changed, when there is no room: then it must not be promised. */
  defer({ key, version }: EntryKey): boolean {
    const id = keyId({ key, version })
    if (this.#deferred.size >= mostDeferred && !this.#deferred.has(id)) return false
    this.#deferred.set(id, { key: { key, version } })
    return true
  }

  find(key: EntryKey): Deferred | undefined {
    return this.#deferred.size === 0 ? undefined : this.#deferred.get(keyId(key))
  }

  /** The store has acknowledged a removal of `key` that was sent when `found` was what {@link find} gave. One that was deferred since stays. */
  acknowledge(key: EntryKey, found: Deferred | undefined, now: number): void {
    const id = keyId(key)
    if (found !== undefined && this.#deferred.get(id) === found) this.#deferred.delete(id)
    this.#acknowledged.delete(id)
    this.#acknowledged.set(id, { key: { key: key.key, version: key.version }, at: now })
    this.#forgetOld(now)
  }

  /** The store may have lost what it acknowledged lately: all of that is to be said again. Returns how many. */
  doubt(now: number): number {
    this.doubts++
    this.#forgetOld(now)
    for (const [id, { key }] of this.#acknowledged) if (!this.#deferred.has(id)) this.#deferred.set(id, { key })
    const count = this.#acknowledged.size
    this.#acknowledged.clear()
    return count
  }

  /** What is to be said, the oldest first. */
  entries(): Deferred[] {
    return [...this.#deferred.values()]
  }

  #forgetOld(now: number): void {
    for (const [id, { at }] of this.#acknowledged) {
      if (this.#acknowledged.size <= mostRemembered && now - at < rememberMs) return
      this.#acknowledged.delete(id)
    }
  }
}
