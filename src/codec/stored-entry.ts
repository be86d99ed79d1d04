import type { Entry, KeptValue, Token } from '../core/ports.ts'
import { epochAt, sequenceAt, standingOf, type Standing } from '../core/tags/namespace-record.ts'
import { headerBytes, isTagged, mark, offset, payloadStart, readTime, tokenBytes } from './header.ts'
import { readTagBlock } from './tag-block.ts'

/** Fields are read from the header when asked for; most calls ask for two of them. */
export abstract class StoredEntry implements Entry {
  readonly bytes: Buffer
  /** Verified header bytes, tags included: those of `bytes`, or those remembered for the same token. */
  readonly #header: Buffer

  constructor(bytes: Buffer, header: Buffer) {
    this.bytes = bytes
    this.#header = header
  }

  get encodedBytes(): number {
    return this.bytes.length
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

  get tags(): readonly string[] {
    return readTagBlock(this.#header, headerBytes, payloadStart(this.#header)) ?? []
  }

  get epoch(): Buffer {
    return epochAt(this.#header, offset.tagStamp)
  }

  get stampSequence(): number {
    return sequenceAt(this.#header, offset.tagStamp)
  }

  standing(record: Buffer | null, tagsMatter: boolean): Standing {
    return standingOf(this.#header, offset.tagStamp, record, tagsMatter || isTagged(this.#header))
  }

  abstract value(): unknown

  abstract keep(): KeptValue
}
