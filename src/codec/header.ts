import type { EntryTags, EntryTimes, Token } from '../core/ports.ts'
import { stampBytes } from '../core/tags/namespace-record.ts'
import { tagBlockBytes, writeTagBlock } from './tag-block.ts'

/** The wire version this code writes and reads. */
export const wireVersion = 1

/** Length of the fixed header. A tag block and the payload follow it. */
export const headerBytes = 76

export const tokenBytes = 16

/** Where each header field starts. Integers are big-endian. */
export const offset = {
  magic: 0,
  version: 2,
  /** Flipped in place by a soft `expire`, so no checksum covers it. */
  mark: 3,
  checksum: 4,
  /** The checksum covers everything from here on. */
  checked: 8,
  codec: 8,
  compression: 9,
  flags: 10,
  createdAt: 12,
  freshUntil: 18,
  hardUntil: 24,
  loadMs: 30,
  token: 34,
  tagStamp: 50,
  tagBytes: 70,
  payloadBytes: 72,
} as const

/** Values of the byte at `offset.mark`. */
export const mark = { live: 0x00, expired: 0xff } as const

const magic = 0x4c48
const maxUint48 = 2 ** 48 - 1
const maxUint32 = 2 ** 32 - 1

export interface HeaderFields extends EntryTimes {
  readonly codec: number
  readonly compression: number
  readonly token: Token
  /** Length of the payload before compression. */
  readonly payloadBytes: number
}

/**
 * Writes the header at the start of `bytes`, with a live mark, no tags and no checksum yet: {@link writeTags} and the checksum come after it.
 * Times are rounded down to whole ms and held within what the field can carry.
 * @throws RangeError when `bytes` is shorter than a header or the token is not 16 bytes.
 */
export function writeHeader(bytes: Buffer, fields: HeaderFields): void {
  if (bytes.length < headerBytes) throw new RangeError(`a header needs ${headerBytes} bytes, not ${bytes.length}`)
  if (fields.token.length !== tokenBytes) throw new RangeError(`a token has ${tokenBytes} bytes, not ${fields.token.length}`)
  bytes.fill(0, 0, headerBytes)
  bytes.writeUInt16BE(magic, offset.magic)
  bytes[offset.version] = wireVersion
  bytes[offset.codec] = fields.codec
  bytes[offset.compression] = fields.compression
  writeTimes(bytes, fields)
  bytes.set(fields.token, offset.token)
  bytes.writeUInt32BE(fields.payloadBytes, offset.payloadBytes)
}

/** Gives an entry new times and a new token and makes it live again; the checksum must be written anew. */
export function rewriteHeader(bytes: Buffer, times: EntryTimes, token: Token): void {
  if (token.length !== tokenBytes) throw new RangeError(`a token has ${tokenBytes} bytes, not ${token.length}`)
  bytes[offset.mark] = mark.live
  writeTimes(bytes, times)
  bytes.set(token, offset.token)
}

/** How many bytes stand before the payload of an entry with these tags. */
export function payloadOffset(names: readonly string[]): number {
  return names.length === 0 ? headerBytes : headerBytes + tagBlockBytes(names)
}

/** Stamps an entry and names its tags. @throws RangeError when `bytes` end before the tag block does. */
export function writeTags(bytes: Buffer, { stamp, names }: EntryTags): void {
  if (stamp === undefined) bytes.fill(0, offset.tagStamp, offset.tagStamp + stampBytes)
  else writeStamp(bytes, stamp)
  bytes.writeUInt16BE(payloadOffset(names) - headerBytes, offset.tagBytes)
  if (names.length > 0) writeTagBlock(bytes, headerBytes, names)
}

/** @param stamp A namespace record, or as much of one as stamps have. */
export function writeStamp(bytes: Buffer, stamp: Buffer): void {
  stamp.copy(bytes, offset.tagStamp, 0, stampBytes)
}

function writeTimes(bytes: Buffer, times: EntryTimes): void {
  writeUint48(bytes, wholeWithin(times.createdAt, maxUint48), offset.createdAt)
  writeUint48(bytes, wholeWithin(times.freshUntil, maxUint48), offset.freshUntil)
  writeUint48(bytes, wholeWithin(times.hardUntil, maxUint48), offset.hardUntil)
  bytes.writeUInt32BE(wholeWithin(Math.round(times.loadMs), maxUint32), offset.loadMs)
}

/** In two halves: Buffer's own 48-bit methods are several times slower. */
function writeUint48(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt16BE(Math.floor(value / 2 ** 32), at)
  bytes.writeUInt32BE(value % 2 ** 32, at + 2)
}

/** The server time in ms that stands at `at`. @throws RangeError when the bytes end before it does. */
export function readTime(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 2)
}

function wholeWithin(value: number, max: number): number {
  return value > 0 ? Math.min(Math.floor(value), max) : 0
}

/** True when `bytes` begin as an entry does, in any wire version. */
export function hasMagic(bytes: Buffer): boolean {
  return bytes.length >= 2 && bytes.readUInt16BE(offset.magic) === magic
}

/** True when `bytes` carry a whole header of this wire version. Says nothing about the checksum. */
export function hasHeader(bytes: Buffer): boolean {
  return bytes.length >= headerBytes && bytes.readUInt16BE(offset.magic) === magic && bytes[offset.version] === wireVersion
}

/** True when the mark is one of the two that there are. Only for bytes with {@link hasHeader}. */
export function hasMark(bytes: Buffer): boolean {
  return bytes[offset.mark] === mark.live || bytes[offset.mark] === mark.expired
}

/** Where the payload starts. Only for bytes with {@link hasHeader}; it may lie past their end. */
export function payloadStart(bytes: Buffer): number {
  return headerBytes + bytes.readUInt16BE(offset.tagBytes)
}

/** True when the entry has tags. Only for bytes with {@link hasHeader}. */
export function isTagged(bytes: Buffer): boolean {
  return bytes[offset.tagBytes] !== 0 || bytes[offset.tagBytes + 1] !== 0
}

/** The 16 bytes where a token stands, whatever the bytes are: a view, not a copy. Undefined when they are too short. */
export function peekToken(bytes: Buffer): Token | undefined {
  return bytes.length >= offset.token + tokenBytes ? bytes.subarray(offset.token, offset.token + tokenBytes) : undefined
}

/** True when both carry the same token. */
export function sameToken(a: Buffer, b: Buffer): boolean {
  return sameBytes(a, b, offset.token, offset.token + tokenBytes)
}

/** True when both are fresh until the same time. */
export function sameFreshUntil(a: Buffer, b: Buffer): boolean {
  return sameBytes(a, b, offset.freshUntil, offset.hardUntil)
}

/** A loop beats a call into native code for so few. */
function sameBytes(a: Buffer, b: Buffer, start: number, end: number): boolean {
  if (a.length < end || b.length < end) return false
  for (let at = start; at < end; at++) if (a[at] !== b[at]) return false
  return true
}

/** The judgement of the acquire script: a whole header of this version, no expired mark, and `now` (server ms) before `freshUntil`. */
export function isFreshAt(bytes: Buffer, now: number): boolean {
  return hasHeader(bytes) && bytes[offset.mark] === mark.live && now < readTime(bytes, offset.freshUntil)
}

/** Sets the expired mark in place, as `expire` does. False, and nothing changed, when the bytes are too short to be an entry. */
export function markExpired(bytes: Buffer): boolean {
  if (bytes.length < headerBytes) return false
  bytes[offset.mark] = mark.expired
  return true
}
