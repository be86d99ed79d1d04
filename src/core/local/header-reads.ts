import { isStoreError, storeErrorOnly, type StoreError } from '../errors.ts'
import type { Clock, Entry, EntryKey, RecalledValue, Store, ValueMemory } from '../ports.ts'

/** What stands at a key: the bytes, or the entry of a remembered value whose header was read. */
export type Found = Buffer | Entry | null

/** How calls read what is stored. */
export interface EntryReads {
  read(key: EntryKey, timeoutMs: number): Promise<Found>
  readonly readMany?: ReadMany | undefined
}

type ReadMany = (keys: readonly EntryKey[], timeoutMs: number) => Promise<readonly (Found | StoreError)[]>

/** False for the error of a key that could not be read. */
export function isFound(found: Found | StoreError): found is Found {
  return found === null || Buffer.isBuffer(found) || !isStoreError(found)
}

/** The reads of `store`; with a memory, large values that are in it are read by their headers alone, if the store can. */
export function readsOf(store: Store, memory: ValueMemory | undefined, clock: Clock): EntryReads {
  return memory === undefined || store.readHeader === undefined ? store : new HeaderReads(store, memory, clock)
}

/**
 * Asks for the header of each large value that is remembered: the store vouches for the value, and need not send it. If another entry stands there by
 * now, it is read whole by one more command, which leaves later still.
 */
class HeaderReads implements EntryReads {
  readonly readMany: ReadMany | undefined
  readonly #store: Store
  readonly #memory: ValueMemory
  readonly #clock: Clock

  constructor(store: Store, memory: ValueMemory, clock: Clock) {
    this.#store = store
    this.#memory = memory
    this.#clock = clock
    const readWhole: ReadMany | undefined = store.readMany?.bind(store)
    this.readMany = readWhole === undefined ? undefined : (keys, timeoutMs) => this.#readEach(keys, timeoutMs, readWhole)
  }

  read(key: EntryKey, timeoutMs: number): Promise<Found> {
    const recalled = this.#memory.recall(key)
    return recalled === undefined ? this.#store.read(key, timeoutMs) : this.#vouch(key, recalled, timeoutMs)
  }

  async #vouch(key: EntryKey, recalled: RecalledValue, timeoutMs: number): Promise<Found> {
    const sentAt = this.#clock.now()
    const header = (await this.#store.readHeader?.(key, timeoutMs)) ?? null
    if (header === null) return null
    const entry = recalled.vouchedFor(header)
    if (entry !== undefined) return entry
    const tookMs = Math.max(0, this.#clock.now() - sentAt - (this.#store.sinceReplyMs?.(key) ?? 0))
    // Whole ms, so that those who asked together go on together.
    return this.#store.read(key, Math.max(1, Math.ceil(timeoutMs - tookMs)))
  }

  async #readEach(keys: readonly EntryKey[], timeoutMs: number, readWhole: ReadMany): Promise<readonly (Found | StoreError)[]> {
    const vouched = new Map<number, Promise<Found | StoreError>>()
    const whole: EntryKey[] = []
    for (const [place, key] of keys.entries()) {
      const recalled = this.#memory.recall(key)
      if (recalled === undefined) whole.push(key)
      else vouched.set(place, this.#vouch(key, recalled, timeoutMs).catch(storeErrorOnly))
    }
    const reading = whole.length === 0 ? [] : readWhole(whole, timeoutMs)
    if (vouched.size === 0) return reading
    const [read, ...headers] = await Promise.all([reading, ...vouched.values()])
    const [nextRead, nextHeader] = [read.values(), headers.values()]
    return keys.map((_, place) => (vouched.has(place) ? nextHeader : nextRead).next().value ?? null)
  }
}
