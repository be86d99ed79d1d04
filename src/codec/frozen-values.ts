import { LRUCache } from 'lru-cache'
import type { ValueMemoryBounds } from '../core/options/options.ts'
import type { EntryKey } from '../core/ports.ts'
import { headerBytes, payloadStart, sameFreshUntil, sameToken } from './header.ts'
import { memorySize } from './memory-size.ts'

/** A frozen value and the verified header it came with, tags included. */
export interface FrozenValue {
  readonly version: number
  readonly header: Buffer
  readonly value: unknown
  /** How long its entry is as it is stored. */
  readonly encodedBytes: number
}

/** How much may be remembered: in memory, or as payloads before compression, which takes no look at the values. */
export type FrozenBounds = ValueMemoryBounds | { readonly payloadBytes: number }

const defaultBounds: FrozenBounds = { payloadBytes: 32 * 1024 * 1024 }
/** What a value takes beside itself, its key and its header. */
const overheadBytes = 400

/** Decoded and frozen values by key, version and token. The least recently used leave first. */
export class FrozenValues {
  readonly #values: LRUCache<string, FrozenValue>
  readonly #weigh: (slot: string, frozen: FrozenValue, payloadBytes: number) => number

  constructor(bounds: FrozenBounds = defaultBounds) {
    if ('payloadBytes' in bounds) {
      const { payloadBytes: maxSize } = bounds
      this.#values = new LRUCache({ maxSize, maxEntrySize: Math.ceil(maxSize / 4) })
      this.#weigh = payloadWeight
    } else {
      this.#values = new LRUCache({ max: bounds.maxEntries, maxSize: bounds.maxBytes })
      this.#weigh = memoryWeight
    }
  }

  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#values.size, bytes: this.#values.calculatedSize }
  }

  /** The value that is remembered for the key, under whichever token. */
  recall(key: EntryKey): FrozenValue | undefined {
    const found = this.#values.get(slotOf(key))
    return found?.version === key.version ? found : undefined
  }

  /**
   * The value that was remembered under the token that `bytes` carry. Not if they tell another time until which it is fresh: then a bit of them is wrong, and
   * the acquire script, which knows no checksum, may have taken them for fresh.
   */
  find(key: EntryKey, bytes: Buffer): FrozenValue | undefined {
    const found = this.recall(key)
    return found !== undefined && sameToken(found.header, bytes) && sameFreshUntil(found.header, bytes) ? found : undefined
  }

  /** Remembers a value in place of the key's earlier one. Too large ones are not kept. */
  remember(key: EntryKey, bytes: Buffer, value: unknown, payloadBytes: number): FrozenValue {
    const frozen = { version: key.version, header: headerOf(bytes), value, encodedBytes: bytes.length }
    const slot = slotOf(key)
    this.#values.set(slot, frozen, { size: this.#weigh(slot, frozen, payloadBytes) })
    return frozen
  }
}

function payloadWeight(_slot: string, _frozen: FrozenValue, payloadBytes: number): number {
  return headerBytes + payloadBytes
}

function memoryWeight(slot: string, { header, value }: FrozenValue): number {
  return overheadBytes + 2 * slot.length + header.length + memorySize(value)
}

/** A copy, and not from Node's pool: a header would keep the memory of its neighbours alive. */
function headerOf(bytes: Buffer): Buffer {
  const header = bytes.subarray(0, payloadStart(bytes))
  const copy = Buffer.allocUnsafeSlow(header.length)
  header.copy(copy)
  return copy
}

/** Need not be injective: what is found is compared by version and token. */
function slotOf(key: EntryKey): string {
  return key.version === 0 ? key.key : `${key.version}\0${key.key}`
}
