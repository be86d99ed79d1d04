import type { Entry, Token } from '../core/ports.ts'
import { mark, offset, readTime, tokenBytes } from './header.ts'

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
    return readTime(this.#header, offset.createdAt)
  }

  get freshUntil(): number {
    return readTime(this.#header, offset.freshUntil)
  }

  get hardUntil(): number {
    return readTime(this.#header, offset.hardUntil)
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
