import { LRUCache } from 'lru-cache'
import type { EntryKey } from '../core/ports.ts'
import { headerBytes, payloadStart, sameToken } from './header.ts'

/** A frozen value and the verified header it came with, tags included. */
export interface FrozenValue {
  readonly version: number
  readonly header: Buffer
  readonly value: unknown
}

const defaultMaxBytes = 32 * 1024 * 1024

/** Decoded and frozen values by key, version and token. Bounded by the bytes their payloads take before compression. */
export class FrozenValues {
  readonly #values: LRUCache<string, FrozenValue>

  constructor(maxBytes: number = defaultMaxBytes) {
    this.#values = new LRUCache({ maxSize: maxBytes, maxEntrySize: Math.ceil(maxBytes / 4) })
  }

  /** The value that was remembered under the token that `bytes` carry. */
  find(key: EntryKey, bytes: Buffer): FrozenValue | undefined {
    const found = this.#values.get(slot(key))
    return found !== undefined && found.version === key.version && sameToken(found.header, bytes) ? found : undefined
  }

  /** Remembers a value in place of the key's earlier one. Too large ones are not kept. */
  remember(key: EntryKey, bytes: Buffer, value: unknown, payloadBytes: number): FrozenValue {
    const frozen = { version: key.version, header: Buffer.from(bytes.subarray(0, payloadStart(bytes))), value }
    this.#values.set(slot(key), frozen, { size: headerBytes + payloadBytes })
    return frozen
  }
}

/** Need not be injective: what is found is compared by version and token. */
function slot(key: EntryKey): string {
  return key.version === 0 ? key.key : `${key.version}\0${key.key}`
}
