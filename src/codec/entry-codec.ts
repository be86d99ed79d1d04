import { isLeaseholdError, LeaseholdError } from '../core/errors.ts'
import type { EntryCodecOptions } from '../core/options/options.ts'
import type {
  Entry,
  EntryCodec,
  EntryKey,
  EntryTags,
  EntryTimes,
  KeptValue,
  Token,
  Unreadable,
  UnreadableReason,
} from '../core/ports.ts'
import { KeyedChecksum } from './checksum.ts'
import { deepFreeze } from './deep-freeze.ts'
import { FrozenValues, type FrozenValue } from './frozen-values.ts'
import { memorySize } from './memory-size.ts'
import { hasHeader, hasMagic, headerBytes, mark, offset, payloadStart, peekToken, rewriteHeader } from './header.ts'
import { isTagged, payloadOffset, wireVersion, writeHeader, writeStamp, writeTags } from './header.ts'
import { PayloadCodec } from './payload-codec.ts'
import { StoredEntry } from './stored-entry.ts'
import { readTagBlock } from './tag-block.ts'

/**
 * Turns values into the bytes a store keeps, and bytes that cannot be trusted into values or a reason why not.
 * Under `'freeze'` decoded values are remembered by key, version and token.
 */
export function createEntryCodec(options: EntryCodecOptions): EntryCodec {
  const checksum = new KeyedChecksum(options.namespace)
  const payloads = new PayloadCodec(options)
  const frozen = options.values === 'freeze' ? new FrozenValues() : undefined

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
    // An entry recognised by its token alone was not checked: a new checksum must not vouch for damaged bytes.
    if (unreadableReason(key, entry.bytes) !== undefined) return encode(key, entry.value(), times, token, tags)
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
    if (frozen !== undefined && hasHeader(bytes) && isMark(bytes[offset.mark])) {
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
    if (!isMark(bytes[offset.mark])) return 'checksum'
    if (bytes.readUInt32BE(offset.checksum) !== checksum.of(key, bytes)) return isCutShort(bytes) ? 'truncated' : 'checksum'
    if (bytes[offset.flags] !== 0) return 'wire-version'
    if (!payloads.knows(bytes)) return 'unknown-codec'
    if (isTagged(bytes) && readTagBlock(bytes, headerBytes, payloadStart(bytes)) === undefined) return 'payload'
    return payloads.hasSaneLength(bytes) ? undefined : 'payload'
  }

  const payloadBytes = (bytes: Buffer): number => bytes.readUInt32BE(offset.payloadBytes)

  const freeze = frozen === undefined ? undefined : deepFreeze
  return { maxValueBytes: options.maxValueBytes, encode, reseal, stamp, open, payloadBytes, freeze }
}

const untagged: EntryTags = { stamp: undefined, names: [] }

/** Gives each caller its own value. */
class CopiedEntry extends StoredEntry {
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

function keepBytes(bytes: Buffer, payloads: PayloadCodec): KeptValue {
  // A copy: what was read is a part of a larger buffer, which it would hold.
  const kept = Buffer.from(bytes)
  return { value: () => payloads.unpack(kept), bytes: kept.length }
}

/** Shares one frozen value, unless it holds binary data: that cannot be frozen, so each caller gets its own. */
class FrozenEntry extends StoredEntry {
  readonly #key: EntryKey
  readonly #payloads: PayloadCodec
  readonly #frozen: FrozenValues
  #remembered: FrozenValue | undefined

  constructor(key: EntryKey, bytes: Buffer, payloads: PayloadCodec, frozen: FrozenValues, remembered: FrozenValue | undefined) {
    super(bytes, remembered?.header ?? bytes)
    this.#key = key
    this.#payloads = payloads
    this.#frozen = frozen
    this.#remembered = remembered
  }

  override value(): unknown {
    const remembered = (this.#remembered ??= this.#frozen.find(this.#key, this.bytes))
    if (remembered !== undefined) return remembered.value
    const value = this.#payloads.unpack(this.bytes)
    if (deepFreeze(value)) {
      this.#remembered = this.#frozen.remember(this.#key, this.bytes, value, this.bytes.readUInt32BE(offset.payloadBytes))
    }
    return value
  }

  override keep(): KeptValue {
    const value = this.value()
    if (this.#remembered === undefined) return keepBytes(this.bytes, this.#payloads)
    return { value: () => value, bytes: memorySize(value) }
  }
}

function isMark(byte: number | undefined): boolean {
  return byte === mark.live || byte === mark.expired
}

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
