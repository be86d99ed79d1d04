import { keyId } from '../flights/flights.ts'
import type { Clock, Entry, EntryKey } from '../ports.ts'

/** A value that this process loaded, or set, while the store did not answer. */
export interface OutageCopy {
  readonly entry: Entry
  /** The sequence number at which it began to be loaded, or set: an invalidation by tag since then revokes it. */
  readonly began: number
  /** Monotonic ms. */
  readonly keptAt: number
  /** How long it is answered before it is loaded again, in ms. */
  readonly freshMs: number
  /** Whether it may stand in past that. Not once the store was there again: others may have revoked it. */
  standsIn: boolean
}

/** A load of an outage that is running. An invalidation ends its right to be kept. */
export interface OutageLoad {
  readonly id: string
  readonly began: number
  revoked: boolean
}

const mostCopies = 10_000
const mostBytes = 32 * 1024 * 1024

/**
 * What was loaded while the store did not answer, so that a hot key costs one load per process and outage ttl. Answers of an outage only: no copy is used
 * once the store answers for its key, and none is ever stored.
 */
export class OutageCopies {
  readonly #clock: Clock
  readonly #ttlMs: number
  /** The oldest first. */
  readonly #copies = new Map<string, OutageCopy>()
  readonly #loads = new Map<string, Set<OutageLoad>>()
  #bytes = 0

  /** @param ttlMs How long a copy is answered at most before it is loaded again. */
  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock
    this.#ttlMs = ttlMs
  }

  get size(): number {
    return this.#copies.size
  }

  find(key: EntryKey): (OutageCopy & { readonly ageMs: number }) | undefined {
    const copy = this.#copies.get(keyId(key))
    return copy === undefined ? undefined : { ...copy, ageMs: this.#clock.now() - copy.keptAt }
  }

  begin(key: EntryKey, began: number): OutageLoad {
    const load = { id: keyId(key), began, revoked: false }
    const loads = this.#loads.get(load.id)
    if (loads === undefined) this.#loads.set(load.id, new Set([load]))
    else loads.add(load)
    return load
  }

  /** The load is over; what it brought is kept unless the key was invalidated meanwhile. */
  end(load: OutageLoad, entry?: Entry, ttlMs = 0): void {
    const loads = this.#loads.get(load.id)
    loads?.delete(load)
    if (loads?.size === 0) this.#loads.delete(load.id)
    if (entry !== undefined && !load.revoked) this.#keep(load.id, entry, load.began, ttlMs)
  }

  /** A value that this process has set. */
  keep(key: EntryKey, entry: Entry, began: number, ttlMs: number): void {
    this.#keep(keyId(key), entry, began, ttlMs)
  }

  /** This process invalidates the key. */
  revoke(key: EntryKey): void {
    const id = keyId(key)
    this.drop(key)
    for (const load of this.#loads.get(id) ?? []) load.revoked = true
  }

  /** This process invalidates everything. */
  revokeAll(): void {
    this.#copies.clear()
    this.#bytes = 0
    for (const loads of this.#loads.values()) for (const load of loads) load.revoked = true
  }

  /** The store answers for the key. */
  drop(key: EntryKey): void {
    this.#delete(keyId(key))
  }

  /** The store is there again. It may be gone at once: until they have had their time, copies still spare the source. */
  retire(): void {
    for (const copy of this.#copies.values()) copy.standsIn = false
  }

  #keep(id: string, entry: Entry, began: number, ttlMs: number): void {
    // A load that ends past its hard timeout may have been overtaken.
    if ((this.#copies.get(id)?.began ?? -1) > began) return
    this.#delete(id)
    if (this.#ttlMs === 0) return
    this.#bytes += entry.bytes.length
    this.#copies.set(id, { entry, began, keptAt: this.#clock.now(), freshMs: Math.min(this.#ttlMs, ttlMs), standsIn: true })
    for (const oldest of this.#copies.keys()) {
      if (this.#copies.size <= mostCopies && this.#bytes <= mostBytes) return
      this.#delete(oldest)
    }
  }

  #delete(id: string): void {
    const copy = this.#copies.get(id)
    if (copy === undefined) return
    this.#copies.delete(id)
    this.#bytes -= copy.entry.bytes.length
  }
}
