import type { Standing } from '../tags/namespace-record.ts'
import type { EntryKey, Token } from './store.ts'

/** What an entry is invalidated by. */
export interface EntryTags {
  /** The namespace record from before the load; undefined for an entry that is not stored. */
  readonly stamp: Buffer | undefined
  readonly names: readonly string[]
}

/** An entry whose header and checksum have been verified. The payload is decoded when asked for. */
export interface Entry {
  /** As they were read: all that is stored, or its header alone. */
  readonly bytes: Buffer
  /** How long the entry is as it is stored. */
  readonly encodedBytes: number
  readonly token: Token
  /** Server times in ms. */
  readonly createdAt: number
  readonly freshUntil: number
  readonly hardUntil: number
  /** How long the load took, in ms: XFetch's Δ. */
  readonly loadMs: number
  /** Marked stale in place by `expire`. */
  readonly expired: boolean
  readonly tags: readonly string[]
  /** Of the namespace record that it is stamped with. */
  readonly epoch: Buffer
  /** The newest tag sequence from before its load. */
  readonly stampSequence: number
  /** What a namespace record says of it. `tagsMatter`: its reader names tags too. */
  standing(record: Buffer | null, tagsMatter: boolean): Standing
  /** The decoded value: a new copy each time under `'copy'`, one frozen value under `'freeze'`. Throws when the payload cannot be decoded. */
  value(): unknown
  /** What it takes to answer with the value later, without the bytes that were read. */
  keep(): KeptValue
}

/** A value that is kept in memory. */
export interface KeptValue {
  /** As {@link Entry.value}. */
  value(): unknown
  /** What it takes in memory by estimate, in bytes. */
  readonly bytes: number
}

export interface EntryTimes {
  readonly createdAt: number
  readonly freshUntil: number
  readonly hardUntil: number
  readonly loadMs: number
}

/** Why bytes were not an entry. */
export type UnreadableReason = 'foreign' | 'wire-version' | 'truncated' | 'checksum' | 'unknown-codec' | 'payload'

export interface Unreadable {
  readonly unreadable: UnreadableReason
  /** Whatever stands where the token would be, so that `acquire` does not offer the same bytes again. */
  readonly token: Token | undefined
}

export interface EntryCodec {
  /** Larger entries are written by `encode` but must not be stored. */
  readonly maxValueBytes: number
  /** Without `tags` the entry has neither a stamp nor tags, and cannot be valid once it is stored. @throws LeaseholdError `UNSERIALIZABLE_VALUE` */
  encode(key: EntryKey, value: unknown, times: EntryTimes, token: Token, tags?: EntryTags): Buffer
  /** The same payload under a new header. */
  reseal(key: EntryKey, entry: Entry, times: EntryTimes, token: Token, tags?: EntryTags): Buffer
  /** Stamps an entry, just encoded, in place. */
  stamp(key: EntryKey, bytes: Buffer, stamp: Buffer): void
  open(key: EntryKey, bytes: Buffer): Entry | Unreadable
  /** Under `local.mode: 'validate'`: the values that are remembered. */
  readonly memory: ValueMemory | undefined
  /** Under `'freeze'`: freezes what was made of a decoded value, so that it can be shared. False when that cannot be done. */
  readonly freeze: ((value: unknown) => boolean) | undefined
  /** How long the payload of an entry it has written was before compression. */
  payloadBytes(bytes: Buffer): number
}

/** Decoded values that are remembered, each under the token of its entry. */
export interface ValueMemory {
  /** The value that is remembered for the key, if its entry is so large that the header alone should be asked for. */
  recall(key: EntryKey): RecalledValue | undefined
  readonly size: { readonly entries: number; readonly bytes: number }
}

export interface RecalledValue {
  /** The entry of this value, if `header` is its header. Otherwise another entry stands there. */
  vouchedFor(header: Buffer): Entry | undefined
}
