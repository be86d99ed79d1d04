import { isLeaseholdError, LeaseholdError } from '../core/errors.ts'
import type { EntryCodecOptions } from '../core/options/options.ts'
import type { Entry, EntryCodec, EntryKey, EntryTags, EntryTimes, Token, Unreadable, UnreadableReason } from '../core/ports.ts'
import { KeyedChecksum } from './checksum.ts'
import { CopiedEntry } from './copied-entry.ts'
import { deepFreeze } from './deep-freeze.ts'
import { FrozenEntry, valueMemory } from './frozen-entry.ts'
import { FrozenValues } from './frozen-values.ts'
import { hasHeader, hasMagic, hasMark, headerBytes, offset, payloadStart, peekToken, rewriteHeader } from './header.ts'
import { isTagged, payloadOffset, wireVersion, writeHeader, writeStamp, writeTags } from './header.ts'
import { PayloadCodec } from './payload-codec.ts'
import { readTagBlock } from './tag-block.ts'

/**
 * Turns values into the bytes a store keeps, and bytes that cannot be trusted into values or a reason why not.
 * Under `'freeze'` decoded values are remembered by key, version and token.
 */
export function createEntryCodec(options: EntryCodecOptions): EntryCodec {
  const checksum = new KeyedChecksum(options.namespace)
  const payloads = new PayloadCodec(options)
  const frozen = options.values === 'freeze' ? new FrozenValues(options.remembered) : undefined
  const memory = frozen === undefined || options.headersAlone !== true ? undefined : valueMemory(frozen, payloads)

  function encode(key: EntryKey, value: unknown, times: EntryTimes, token: Token, tags: EntryTags = untagged): Buffer {
    const { payload, codec, compression, payloadBytes } = pack(payloads, key, value)
    const payloadAt = payloadOffset(tags.names)
    const bytes = Buffer.allocUnsafe(payloadAt + payload.length)
    // Spelled out: spreading objects that hold such large numbers takes longer than all the rest of the header.
    const { createdAt, freshUntil, hardUntil, loadMs } = times
    writeHeader(bytes, { codec, compression, payloadBytes, token, createdAt, freshUntil, hardUntil, loadMs })
    writeTags(bytes, tags)
    bytes.set(payload, payloadAt)
    bytes.writeUInt32BE(checksum.of(key, bytes), offset.checksum)
    return bytes
  }

  function reseal(key: EntryKey, entry: Entry, times: EntryTimes, token: Token, tags: EntryTags = untagged): Buffer {
    // Bytes recognised by their token alone were neither checked nor decoded: a new checksum must not vouch for them.
    const unseen = entry instanceof FrozenEntry && entry.recalled
    if (unseen || unreadableReason(key, entry.bytes) !== undefined) return encode(key, entry.value(), times, token, tags)
    const payload = entry.bytes.subarray(payloadStart(entry.bytes))
    const payloadAt = payloadOffset(tags.names)
    const bytes = Buffer.allocUnsafe(payloadAt + payload.length)
    entry.bytes.copy(bytes, 0, 0, headerBytes)
    rewriteHeader(bytes, times, token)
    writeTags(bytes, tags)
    bytes.set(payload, payloadAt)
    bytes.writeUInt32BE(checksum.of(key, bytes), offset.checksum)
    return bytes
  }

  function stamp(key: EntryKey, bytes: Buffer, record: Buffer): void {
    writeStamp(bytes, record)
    bytes.writeUInt32BE(checksum.of(key, bytes), offset.checksum)
  }

  function open(key: EntryKey, bytes: Buffer): Entry | Unreadable {
    if (frozen !== undefined && hasHeader(bytes) && hasMark(bytes)) {
      const remembered = frozen.find(key, bytes)
      if (remembered !== undefined) return new FrozenEntry(key, bytes, payloads, frozen, remembered)
    }
    const unreadable = unreadableReason(key, bytes)
    if (unreadable !== undefined) return { unreadable, token: peekToken(bytes) }
    return frozen === undefined ? new CopiedEntry(bytes, payloads) : new FrozenEntry(key, bytes, payloads, frozen, undefined)
  }

  function unreadableReason(key: EntryKey, bytes: Buffer): UnreadableReason | undefined {
    if (!hasMagic(bytes)) return 'foreign'
    // Flags of a later release may change what a value is worth, so their entries are left to it.
    if (bytes.length > offset.version && bytes[offset.version] !== wireVersion) return 'wire-version'
    if (!hasHeader(bytes) || bytes.length < payloadStart(bytes)) return 'truncated'
    if (!hasMark(bytes)) return 'checksum'
    if (bytes.readUInt32BE(offset.checksum) !== checksum.of(key, bytes)) return isCutShort(bytes) ? 'truncated' : 'checksum'
    if (bytes[offset.flags] !== 0) return 'wire-version'
    if (!payloads.knows(bytes)) return 'unknown-codec'
    if (isTagged(bytes) && readTagBlock(bytes, headerBytes, payloadStart(bytes)) === undefined) return 'payload'
    return payloads.hasSaneLength(bytes) ? undefined : 'payload'
  }

  const payloadBytes = (bytes: Buffer): number => bytes.readUInt32BE(offset.payloadBytes)

  const freeze = frozen === undefined ? undefined : deepFreeze
  return { maxValueBytes: options.maxValueBytes, encode, reseal, stamp, open, payloadBytes, memory, freeze }
}

const untagged: EntryTags = { stamp: undefined, names: [] }

/** Whether a payload that is not compressed ends before its header says. */
function isCutShort(bytes: Buffer): boolean {
  return bytes[offset.compression] === 0 && bytes.length - payloadStart(bytes) < bytes.readUInt32BE(offset.payloadBytes)
}

function pack(payloads: PayloadCodec, key: EntryKey, value: unknown): ReturnType<PayloadCodec['pack']> {
  try {
    return payloads.pack(value)
  } catch (error) {
    if (!isLeaseholdError(error) || error.key !== undefined) throw error
    throw new LeaseholdError(error.code, `the value of '${key.key}' cannot be stored: ${error.message}`, {
      key: key.key,
      option: error.option,
      cause: error.cause,
    })
  }
}
