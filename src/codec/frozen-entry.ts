import type { Entry, EntryKey, KeptValue, RecalledValue, ValueMemory } from '../core/ports.ts'
import { deepFreeze } from './deep-freeze.ts'
import { keepBytes } from './copied-entry.ts'
import type { FrozenValue, FrozenValues } from './frozen-values.ts'
import { hasHeader, hasMark, offset, sameToken } from './header.ts'
import { memorySize } from './memory-size.ts'
import type { PayloadCodec } from './payload-codec.ts'
import { StoredEntry } from './stored-entry.ts'

/** Shares one frozen value, unless it holds binary data: that cannot be frozen, so each caller gets its own. */
export class FrozenEntry extends StoredEntry {
  readonly #key: EntryKey
  readonly #payloads: PayloadCodec
  readonly #frozen: FrozenValues
  #remembered: FrozenValue | undefined
  #decoded = false

  /** @param bytes All that is stored; with `remembered`, its header is enough. */
  constructor(key: EntryKey, bytes: Buffer, payloads: PayloadCodec, frozen: FrozenValues, remembered: FrozenValue | undefined) {
    super(bytes, remembered?.header ?? bytes)
    this.#key = key
    this.#payloads = payloads
    this.#frozen = frozen
    this.#remembered = remembered
  }

  /** Whether the value was decoded from other bytes than these. */
  get recalled(): boolean {
    return this.#remembered !== undefined && !this.#decoded
  }

  override get encodedBytes(): number {
    return this.#remembered?.encodedBytes ?? this.bytes.length
  }

  override value(): unknown {
    const remembered = (this.#remembered ??= this.#frozen.find(this.#key, this.bytes))
    if (remembered !== undefined) return remembered.value
    const value = this.#payloads.unpack(this.bytes)
    this.#decoded = true
    if (deepFreeze(value)) {
      this.#remembered = this.#frozen.remember(this.#key, this.bytes, value, this.bytes.readUInt32BE(offset.payloadBytes))
    }
    return value
  }

  override keep(): KeptValue {
    const value = this.value()
    if (this.#remembered === undefined) return keepBytes(this.bytes, this.#payloads)
    return new KeptFrozen(value)
  }
}

/** Of one class rather than a closure each, so that a hit from memory takes no call. */
class KeptFrozen implements KeptValue {
  readonly bytes: number
  readonly #value: unknown

  constructor(value: unknown) {
    this.#value = value
    this.bytes = memorySize(value)
  }

  value(): unknown {
    return this.#value
  }
}

/** Entries of at least so many bytes are asked for by their header once their value is remembered. */
const headerFrom = 8 * 1024

/** The frozen values as what stands in for the larger part of an entry. */
export function valueMemory(frozen: FrozenValues, payloads: PayloadCodec): ValueMemory {
  return {
    recall(key) {
      const remembered = frozen.recall(key)
      if (remembered === undefined || remembered.encodedBytes < headerFrom) return undefined
      return new RecalledLarge(key, remembered, payloads, frozen)
    },
    get size() {
      return frozen.size
    },
  }
}

class RecalledLarge implements RecalledValue {
  readonly #key: EntryKey
  readonly #remembered: FrozenValue
  readonly #payloads: PayloadCodec
  readonly #frozen: FrozenValues

  constructor(key: EntryKey, remembered: FrozenValue, payloads: PayloadCodec, frozen: FrozenValues) {
    this.#key = key
    this.#remembered = remembered
    this.#payloads = payloads
    this.#frozen = frozen
  }

  /** No checksum is needed: it was right when the value was decoded, and the token says that nothing was committed since. */
  vouchedFor(header: Buffer): Entry | undefined {
    if (!hasHeader(header) || !hasMark(header) || !sameToken(this.#remembered.header, header)) return undefined
    return new FrozenEntry(this.#key, header, this.#payloads, this.#frozen, this.#remembered)
  }
}
