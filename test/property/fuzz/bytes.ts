import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import {
  hasHeader,
  hasMagic,
  headerBytes,
  isFreshAt,
  markExpired,
  offset,
  peekToken,
  sameToken,
} from '../../../src/codec/header.ts'
import { lz4 } from '../../../src/codec/lz4.ts'
import type { EntryCodecOptions } from '../../../src/core/options/options.ts'
import type { EntryCodec, EntryKey } from '../../../src/core/ports.ts'
import { sameValue } from '../../same-value.ts'
import { damaged, damages } from './damage.ts'
import { must, target, type FuzzTarget } from './target.ts'

const namespace = 'fuzz'
const key: EntryKey = { key: 'größe', version: 3 }
const token = Buffer.from('0123456789abcdef')
const times = { createdAt: 1_800_000_000_000, freshUntil: 1_800_000_060_000, hardUntil: 1_800_000_120_000, loadMs: 25 }

const kinds: readonly (readonly [name: string, options: Partial<EntryCodecOptions>])[] = [
  ['msgpack', { compression: false }],
  ['msgpack, deflate', { compression: 'deflate' }],
  ['msgpack, lz4', { compression: lz4() }],
  ['msgpack, frozen', { compression: 'deflate', values: 'freeze' }],
  ['json', { codec: 'json', compression: false }],
  ['json, deflate', { codec: 'json', compression: 'deflate' }],
  ['json, lz4', { codec: 'json', compression: lz4() }],
]

function open(options: Partial<EntryCodecOptions>): EntryCodec {
  const defaults = { values: 'copy', codec: 'msgpack', compression: false } as const
  return createEntryCodec({ namespace, compressAbove: 32, maxValueBytes: 1 << 14, ...defaults, ...options })
}

const value = fc.oneof(
  // Through JSON, which has no -0.
  fc.jsonValue({ maxDepth: 3 }).map(json => JSON.parse(JSON.stringify(json)) as unknown),
  fc.array(
    fc.record({ id: fc.nat(), name: fc.string(), tags: fc.array(fc.string(), { maxLength: 3 }) }, { noNullPrototype: true }),
    { maxLength: 6 },
  ),
  fc.string({ minLength: 20, maxLength: 60 }).map(text => ({ text: text.repeat(9) })),
)

const noise = fc.uint8Array({ maxLength: 160 }).map(bytes => Buffer.from(bytes))
const headerFirst = fc
  .tuple(noise, damages)
  .map(([tail, all]) => damaged(Buffer.concat([open({}).encode(key, 0, times, token), tail]), all))

/** `fresh` by the wire format, read the long way round. */
function freshByTheBook(bytes: Buffer, now: number): boolean {
  if (bytes.length < headerBytes || bytes.toString('latin1', 0, 3) !== 'LH\x01' || bytes[3] !== 0) return false
  return BigInt(now) < BigInt(`0x${bytes.toString('hex', 18, 24)}`)
}

const header = target('header', fc.tuple(fc.oneof(noise, headerFirst), fc.nat({ max: 2 ** 41 })), ([bytes, now]) => {
  must(isFreshAt(bytes, now) === freshByTheBook(bytes, now), 'fresh exactly as the wire format says')
  must(!hasHeader(bytes) || (hasMagic(bytes) && bytes.length >= headerBytes), 'a header is whole and begins as one')
  must((peekToken(bytes) === undefined) === bytes.length < 50, 'a token is found wherever there are bytes enough')
  must(sameToken(bytes, bytes) === bytes.length >= 50, 'the same bytes carry the same token, if any')
  const marked = Buffer.from(bytes)
  must(markExpired(marked) === bytes.length >= headerBytes, 'only what may be an entry is marked')
  must(!isFreshAt(marked, now) || !markExpired(marked), 'what was marked is fresh no more')
})

/** What an undamaged prototype looks like: decoding must leave it so. */
const prototypes = [Object.prototype, Array.prototype, Map.prototype, Function.prototype]
const prototypeNames = prototypes.map(each => Reflect.ownKeys(each).length)
function mustLeavePrototypesAlone(): void {
  for (const [index, each] of prototypes.entries()) {
    must(Reflect.ownKeys(each).length === prototypeNames[index], 'decoding leaves prototypes alone')
  }
}

/** An entry that others damaged: unreadable, or the very value that was written. */
function entryTarget([name, options]: (typeof kinds)[number]): FuzzTarget {
  return target(`entry, ${name}`, fc.tuple(value, damages), ([original, all]) => {
    const bytes = open(options).encode(key, original, times, token)
    const given = damaged(bytes, all)
    const codec = open(options)
    // Under 'freeze' a value may be remembered from the whole entry.
    if (options.values === 'freeze') readValue(codec, bytes)
    const found = codec.open(key, given)
    if ('unreadable' in found) return
    const unmarked = Buffer.from(given)
    unmarked[offset.mark] = 0
    must(options.values === 'freeze' || unmarked.equals(bytes), 'what is read is what was written, but for the mark')
    must(found.freshUntil === times.freshUntil && found.token.equals(token), 'times and token are those that were written')
    must(sameValue(found.value(), original), 'the value is the one that was written')
  })
}

/** An entry whose checksum is right whatever its bytes are, as one that somebody else wrote would be. */
function forgedTarget([name, options]: (typeof kinds)[number]): FuzzTarget {
  const payload = fc.tuple(value, damages, fc.option(noise, { nil: undefined, freq: 4 }))
  return target(`forged entry, ${name}`, payload, ([original, all, tail]) => {
    const written = open(options).encode(key, original, times, token)
    const fields = damaged(written.subarray(offset.checked), all)
    const forged = sealed(tail === undefined ? fields : Buffer.concat([fields.subarray(0, headerBytes - offset.checked), tail]))
    readValue(open(options), forged)
    mustLeavePrototypesAlone()
    // All codecs share one decoder: whatever the forged entry did to it, the next one is read as ever.
    must(sameValue(readValue(open(options), written), original), 'a forged entry leaves no trace in the decoder')
  })
}

function sealed(fields: Buffer): Buffer {
  const identity = Buffer.from(`${namespace}\0${key.version}\0${key.key}`)
  const start = Buffer.from('LH\x01\0\0\0\0\0', 'latin1')
  start.writeUInt32BE(crc32(fields, crc32(identity)), offset.checksum)
  return Buffer.concat([start, fields])
}

/** The value, or undefined for bytes that are unreadable or whose decoding raises an ordinary error. Anything else goes on up. */
function readValue(codec: EntryCodec, bytes: Buffer): unknown {
  const entry = codec.open(key, bytes)
  if ('unreadable' in entry) return undefined
  try {
    return entry.value()
  } catch (error) {
    must(error instanceof Error, 'decoding throws nothing but errors')
    return undefined
  }
}

export const byteTargets: readonly FuzzTarget[] = [header, ...kinds.map(entryTarget), ...kinds.map(forgedTarget)]
