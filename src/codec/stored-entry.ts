import type { Entry, Token } from '../core/ports.ts'
import { mark, offset, tokenBytes } from './header.ts'

/** Fields are read from the header when asked for; most calls ask for two of them. */
export abstract class StoredEntry implements Entry {
  readonly bytes: Buffer
  /** Verified header bytes: those of `bytes`, or those remembered for the same token. */
  readonly #header: Buffer

  constructor(bytes: Buffer, header: Buffer) {
    this.bytes = bytes
    this.#header = header
  }

  get token(): Token {
    return this.#header.subarray(offset.token, offset.token + tokenBytes)
  }

  get createdAt(): number {
    return this.#header.readUIntBE(offset.createdAt, 6)
  }

  get freshUntil(): number {
    return this.#header.readUIntBE(offset.freshUntil, 6)
  }

  get hardUntil(): number {
    return this.#header.readUIntBE(offset.hardUntil, 6)
  }

  get loadMs(): number {
    return this.#header.readUInt32BE(offset.loadMs)
  }

  /** Always from the bytes just read: `expire` flips the mark and leaves the token. */
  get expired(): boolean {
    return this.bytes[offset.mark] === mark.expired
  }

  abstract value(): unknown
}
