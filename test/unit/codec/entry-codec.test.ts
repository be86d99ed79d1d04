import { describe, expect, test, vi } from 'vitest'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import { KeyedChecksum } from '../../../src/codec/checksum.ts'
import { headerBytes, mark, markExpired, offset } from '../../../src/codec/header.ts'
import { lz4 } from '../../../src/codec/lz4.ts'
import type { Compression, EntryCodecOptions, Serializer } from '../../../src/core/options/options.ts'
import type { Entry, EntryCodec, Unreadable } from '../../../src/core/ports.ts'

const key = { key: 'user:1', version: 0 }
const token = Buffer.from('0123456789abcdef')
const times = { createdAt: 1_700_000_000_000, freshUntil: 1_700_000_300_000, hardUntil: 1_700_000_900_000, loadMs: 41.6 }
const user = { id: 'u_1', name: 'Ada', roles: ['admin'], at: new Date(5), seen: new Map([['a', new Set([1n])]]) }
const long = { text: 'all work and no play '.repeat(200) }

function codecWith(options: Partial<EntryCodecOptions> = {}): EntryCodec {
  const defaults = { namespace: 'shop', values: 'copy', codec: 'msgpack', compression: 'deflate' } as const
  return createEntryCodec({ ...defaults, compressAbove: 1024, maxValueBytes: 1 << 20, ...options })
}

function opened(codec: EntryCodec, bytes: Buffer, of: typeof key = key): Entry {
  const entry = codec.open(of, bytes)
  if ('unreadable' in entry) throw new Error(`unreadable: ${entry.unreadable}`)
  return entry
}

function reasonFor(bytes: Buffer, codec: EntryCodec = codecWith()): string {
  return (codec.open(key, bytes) as Unreadable).unreadable
}

function changed(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = byte
  return copy
}

describe('an entry', () => {
  test('carries value, times and token', () => {
    const entry = opened(codecWith(), codecWith().encode(key, user, times, token))
    expect({ ...times, loadMs: 42 }).toEqual({
      createdAt: entry.createdAt,
      freshUntil: entry.freshUntil,
      hardUntil: entry.hardUntil,
      loadMs: entry.loadMs,
    })
    expect(entry.token).toEqual(token)
    expect(entry.expired).toBe(false)
    expect(entry.value()).toEqual(user)
  })

  test('marked stale in place is still readable, and says so', () => {
    const bytes = codecWith().encode(key, user, times, token)
    markExpired(bytes)
    const entry = opened(codecWith(), bytes)
    expect(entry.expired).toBe(true)
    expect(entry.value()).toEqual(user)
  })

  test('under copy gives each caller a value of its own', () => {
    const entry = opened(codecWith(), codecWith().encode(key, { list: [1], bytes: Buffer.from('abc') }, times, token))
    const first = entry.value() as { list: number[]; bytes: Buffer }
    first.list.push(2)
    first.bytes.fill(0)
    expect(entry.value()).toEqual({ list: [1], bytes: Buffer.from('abc') })
  })

  test('written with one built-in codec is read by a cache set to the other', () => {
    const bytes = codecWith({ codec: 'json' }).encode(key, { a: [1] }, times, token)
    expect(opened(codecWith(), bytes).value()).toEqual({ a: [1] })
    expect(opened(codecWith({ codec: 'json' }), codecWith().encode(key, user, times, token)).value()).toEqual(user)
  })

  test('over the size limit is written, so that its callers get it; the engine does not store it', () => {
    const codec = codecWith({ maxValueBytes: 500, compression: false })
    const bytes = codec.encode(key, long, times, token)
    expect(bytes.length).toBeGreaterThan(codec.maxValueBytes)
    expect(opened(codec, bytes).value()).toEqual(long)
  })

  test('that cannot be serialized is refused, naming key and path', () => {
    const attempt = (): Buffer => codecWith().encode(key, { user: { load: () => 1 } }, times, token)
    expect(attempt).toThrow("the value of 'user:1' cannot be stored: $.user.load is a function")
    expect(attempt).toThrow(expect.objectContaining({ code: 'UNSERIALIZABLE_VALUE', key: 'user:1' }))
  })
})

describe('bytes that are no entry of this key', () => {
  const bytes = codecWith().encode(key, user, times, token)

  test('are told apart', () => {
    expect(reasonFor(Buffer.alloc(0))).toBe('foreign')
    expect(reasonFor(Buffer.from('{"json":true}'))).toBe('foreign')
    expect(reasonFor(changed(bytes, offset.version, 2))).toBe('wire-version')
    expect(reasonFor(Buffer.from('LH'))).toBe('truncated')
    expect(reasonFor(bytes.subarray(0, headerBytes - 1))).toBe('truncated')
    expect(reasonFor(bytes.subarray(0, -1))).toBe('truncated')
    expect(reasonFor(changed(bytes, offset.mark, 0x01))).toBe('checksum')
    expect(reasonFor(changed(bytes, headerBytes + 9, 0xc1))).toBe('checksum')
  })

  test('another key, version or namespace does not pass for it', () => {
    expect(codecWith().open({ key: 'user:2', version: 0 }, bytes)).toMatchObject({ unreadable: 'checksum' })
    expect(codecWith().open({ key: 'user:1', version: 1 }, bytes)).toMatchObject({ unreadable: 'checksum' })
    expect(codecWith({ namespace: 'blog' }).open(key, bytes)).toMatchObject({ unreadable: 'checksum' })
  })

  test('carry whatever stands where the token would be', () => {
    expect(codecWith().open(key, changed(bytes, 0, 0)).token).toEqual(token)
    expect(codecWith().open(key, bytes.subarray(0, 49)).token).toBeUndefined()
  })

  test('name codecs and compressions that this process has not', () => {
    const own: Serializer = { name: 'own', id: 200, serialize: () => Buffer.from('x'), deserialize: () => 'x' }
    expect(reasonFor(codecWith({ codec: own }).encode(key, 1, times, token))).toBe('unknown-codec')
    expect(reasonFor(codecWith({ compression: lz4() }).encode(key, long, times, token))).toBe('unknown-codec')
  })

  test('with flags of a later release are left alone', () => {
    const flagged = changed(bytes, offset.flags, 1)
    flagged.writeUInt32BE(new KeyedChecksum('shop').of(key, flagged), offset.checksum)
    expect(reasonFor(flagged)).toBe('wire-version')
  })

  test('with a payload length that is not theirs are refused', () => {
    const lengthened = changed(bytes, offset.payloadBytes + 3, 1)
    lengthened.writeUInt32BE(new KeyedChecksum('shop').of(key, lengthened), offset.checksum)
    expect(reasonFor(lengthened)).toBe('payload')
  })

  test('with a tag block longer than the entry are truncated', () => {
    const tagged = changed(bytes, offset.tagBytes, 0xff)
    tagged.writeUInt32BE(new KeyedChecksum('shop').of(key, tagged), offset.checksum)
    expect(reasonFor(tagged)).toBe('truncated')
  })
})

describe('compression', () => {
  test.each<[string, Compression | 'deflate']>([
    ['deflate', 'deflate'],
    ['lz4', lz4()],
  ])('%s is kept when it makes the entry smaller', (_name, compression) => {
    const codec = codecWith({ compression })
    const bytes = codec.encode(key, long, times, token)
    expect(bytes.length).toBeLessThan(1000)
    expect(opened(codec, bytes).value()).toEqual(long)
  })

  test('is not tried below the threshold, and not kept when it saves little', () => {
    const noise = { bytes: Buffer.from(Array.from({ length: 3000 }, (_, at) => (at * 7919 * (at + 13)) % 251)) }
    const compress = vi.fn<(bytes: Buffer) => Buffer>(bytes => bytes.subarray(0, Math.ceil(bytes.length * 0.9)))
    const barely: Compression = { name: 'barely', id: 130, compress, decompress: bytes => bytes }
    const codec = codecWith({ compression: barely })
    expect(opened(codec, codec.encode(key, user, times, token)).value()).toEqual(user)
    expect(compress).not.toHaveBeenCalled()
    expect(opened(codec, codec.encode(key, noise, times, token)).value()).toEqual(noise)
    expect(compress).toHaveBeenCalledOnce()
  })

  test('a decompressed length that differs from the header is an error, not a value', () => {
    const short: Compression = { name: 'short', id: 131, compress: () => Buffer.from('z'), decompress: () => Buffer.from('{}') }
    const codec = codecWith({ compression: short, codec: 'json' })
    const entry = opened(codec, codec.encode(key, long, times, token))
    expect(() => entry.value()).toThrow('after decompression')
  })

  test('a payload that would grow beyond sixteen times the size limit is refused unread', () => {
    const bytes = codecWith().encode(key, { text: 'x'.repeat(50_000) }, times, token)
    const codec = codecWith({ maxValueBytes: 1000 })
    expect(codec.open(key, bytes)).toMatchObject({ unreadable: 'payload' })
    expect(codec.encode(key, { text: 'x'.repeat(50_000) }, times, token).length).toBeGreaterThan(50_000)
  })
})

describe('a codec of the user', () => {
  const upper: Serializer = {
    name: 'upper',
    id: 200,
    serialize: value => Buffer.from(String(value).toUpperCase()),
    deserialize: bytes => bytes,
  }

  test('is named in the entry and may keep the bytes it is given', () => {
    const codec = codecWith({ codec: upper })
    const bytes = codec.encode(key, 'ada', times, token)
    expect(bytes[offset.codec]).toBe(200)
    const entry = opened(codec, bytes)
    ;(entry.value() as Buffer).fill(0)
    expect(entry.value()).toEqual(Buffer.from('ADA'))
  })

  test('that throws or returns no bytes is a typed error', () => {
    const failing = codecWith({
      codec: {
        ...upper,
        serialize: () => {
          throw new Error('no')
        },
      },
    })
    expect(() => failing.encode(key, 1, times, token)).toThrow(
      expect.objectContaining({ code: 'UNSERIALIZABLE_VALUE', key: 'user:1' }),
    )
    const wrong = codecWith({ codec: { ...upper, serialize: () => 'text' as unknown as Buffer } })
    expect(() => wrong.encode(key, 1, times, token)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', option: 'codec' }))
  })
})

describe('resealing', () => {
  const later = { createdAt: 2_000_000_000_000, freshUntil: 2_000_000_000_001, hardUntil: 2_000_000_000_002, loadMs: 3 }
  const newToken = Buffer.alloc(16, 7)

  test.each(['copy', 'freeze'] as const)('keeps the payload under new times and a new token (%s)', values => {
    const codec = codecWith({ values })
    const bytes = codec.encode(key, long, times, token)
    markExpired(bytes)
    const resealed = codec.reseal(key, opened(codec, bytes), later, newToken)
    expect(resealed.subarray(headerBytes)).toEqual(bytes.subarray(headerBytes))
    const entry = opened(codec, resealed)
    expect([entry.createdAt, entry.freshUntil, entry.hardUntil, entry.loadMs]).toEqual(Object.values(later))
    expect(entry.token).toEqual(newToken)
    expect(entry.expired).toBe(false)
    expect(entry.value()).toEqual(long)
    expect(bytes[offset.mark]).toBe(mark.expired)
  })

  test('never vouches for damaged bytes that were recognised by their token', () => {
    const codec = codecWith({ values: 'freeze', compression: false })
    const bytes = codec.encode(key, user, times, token)
    opened(codec, bytes).value()
    const damaged = changed(bytes, bytes.length - 1, 0x55)
    const resealed = codec.reseal(key, opened(codec, damaged), later, newToken)
    expect(opened(codecWith(), resealed).value()).toEqual(user)
  })

  test('stores the value that was remembered, whatever payload stands under its token by now', () => {
    const codec = codecWith({ values: 'freeze' })
    opened(codec, codec.encode(key, user, times, token)).value()
    const forged = codecWith().encode(key, 'another', times, token)
    const resealed = codec.reseal(key, opened(codec, forged), later, newToken)
    expect(opened(codecWith(), resealed).value()).toEqual(user)
  })
})
