import type { KeptValue } from '../core/ports.ts'
import type { PayloadCodec } from './payload-codec.ts'
import { StoredEntry } from './stored-entry.ts'

/** Gives each caller its own value. */
export class CopiedEntry extends StoredEntry {
  readonly #payloads: PayloadCodec

  constructor(bytes: Buffer, payloads: PayloadCodec) {
    super(bytes, bytes)
    this.#payloads = payloads
  }

  override value(): unknown {
    return this.#payloads.unpack(this.bytes)
  }

  override keep(): KeptValue {
    return keepBytes(this.bytes, this.#payloads)
  }
}

export function keepBytes(bytes: Buffer, payloads: PayloadCodec): KeptValue {
  // A copy: what was read is a part of a larger buffer, which it would hold.
  const kept = Buffer.from(bytes)
  return { value: () => payloads.unpack(kept), bytes: kept.length }
}
