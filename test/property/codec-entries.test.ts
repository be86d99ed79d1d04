import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEntryCodec } from '../../src/codec/entry-codec.ts'
import { headerBytes, mark, offset } from '../../src/codec/header.ts'
import { lz4 } from '../../src/codec/lz4.ts'
import type { EntryCodecOptions } from '../../src/core/options/options.ts'
import type { Entry, EntryCodec, EntryKey, Unreadable } from '../../src/core/ports.ts'
import { sameValue } from '../same-value.ts'

const times = { createdAt: 1_700_000_000_000, freshUntil: 1_700_000_300_000, hardUntil: 1_700_000_900_000, loadMs: 40 }
const token = Buffer.from('0123456789abcdef')
const key: EntryKey = { key: 'user:1', version: 3 }
const value = { id: 1, name: 'Ada Lovelace', tags: ['x', 'y'], at: new Date(0), n: 10n, text: 'lorem ipsum '.repeat(30) }

const kinds: [string, Partial<EntryCodecOptions>][] = [
  ['msgpack', { compression: false }],
  ['msgpack, deflate', {}],
  ['msgpack, lz4', { compression: lz4() }],
  ['msgpack, frozen', { values: 'freeze' }],
]

function codecWith(options: Partial<EntryCodecOptions>): EntryCodec {
  const defaults = { namespace: 'shop', values: 'copy', codec: 'msgpack', compression: 'deflate' } as const
  return createEntryCodec({ ...defaults, compressAbove: 100, maxValueBytes: 1 << 16, ...options })
}

/** What reading the bytes gives: a value, the reason why not, or the error that its decoding raised. */
function read(codec: EntryCodec, of: EntryKey, bytes: Buffer): { entry: Entry | Unreadable; value?: unknown; failure?: unknown } {
  const entry = codec.open(of, bytes)
  if ('unreadable' in entry) return { entry }
  try {
    return { entry, value: entry.value() }
  } catch (failure) {
    return { entry, failure }
  }
}

describe.each(kinds)('%s', (_name, options) => {
  const bytes = codecWith(options).encode(key, value, times, token)

  test('the whole entry is read', () => {
    expect(sameValue(read(codecWith({ ...options, values: 'copy' }), key, bytes).value, value)).toBe(true)
  })

  test('cut at any length it is unreadable', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(codecWith(options).open(key, bytes.subarray(0, length))).toHaveProperty('unreadable')
    }
  })

  test('with any one bit flipped it is unreadable', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(codecWith(options).open(key, flipped)).toHaveProperty('unreadable')
    }
  })

  test('with any bytes changed it is unreadable, or merely marked stale', () => {
    const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), changes => {
        const spoilt = Buffer.from(bytes)
        for (const [at, byte] of changes) spoilt[at] = byte
        const { entry, value: found } = read(codecWith({ ...options, values: 'copy' }), key, spoilt)
        const unmarked = Buffer.from(spoilt)
        unmarked[offset.mark] = mark.live
        const untouched = unmarked.equals(bytes) && (spoilt[offset.mark] === mark.live || spoilt[offset.mark] === mark.expired)
        expect('unreadable' in entry).toBe(!untouched)
        expect(untouched && !sameValue(found, value)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('followed by anything it is unreadable', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), tail => {
        expect(codecWith(options).open(key, Buffer.concat([bytes, tail]))).toHaveProperty('unreadable')
      }),
      { numRuns: 100 },
    )
  })

  test('found under another key or version it is unreadable', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('user:2', 'User:1', '')), fc.nat({ max: 65_535 }), (name, version) => {
        fc.pre(name !== key.key || version !== key.version)
        expect(codecWith(options).open({ key: name, version }, bytes)).toHaveProperty('unreadable')
      }),
      { numRuns: 200 },
    )
  })
})

test('under freeze, damage to bytes whose value is remembered never shows: unreadable, or the right value and times', () => {
  const codec = codecWith({ values: 'freeze' })
  const bytes = codec.encode(key, value, times, token)
  const right = read(codec, key, bytes).value
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    const { entry, value: found } = read(codec, key, flipped)
    const good = !('unreadable' in entry) && found === right && entry.freshUntil === times.freshUntil && !entry.expired
    expect(good || 'unreadable' in entry).toBe(true)
  }
})

test('any bytes are opened without an error, also behind a good header start', () => {
  const start = codecWith({}).encode(key, value, times, token).subarray(0, 4)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), noise => {
      for (const given of [Buffer.from(noise), Buffer.concat([start, noise])]) {
        expect(codecWith({}).open(key, given)).toHaveProperty('unreadable')
      }
    }),
    { numRuns: 1000 },
  )
})

test('any payload behind a right checksum gives a value or an ordinary error', () => {
  const raw = (id: number): EntryCodec =>
    codecWith({
      codec: { name: 'raw', id, serialize: given => given as Buffer, deserialize: given => given },
      compression: false,
    })
  const noise = fc.uint8Array({ maxLength: 200 })
  const payload = fc.oneof(
    noise,
    noise.map(tail => Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), tail])),
  )
  fc.assert(
    fc.property(payload, fc.constantFrom(1, 2), (bytes, id) => {
      const { failure } = read(codecWith({}), key, raw(id).encode(key, bytes, times, token))
      expect(failure === undefined || failure instanceof Error).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('entries keep their values for every key', () => {
  const codec = codecWith({})
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 65_535 }), fc.jsonValue(), (name, version, json) => {
      const of = { key: name, version }
      expect(sameValue(read(codec, of, codec.encode(of, json, times, token)).value, json)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('the header stays one fixed length', () => {
  expect(codecWith({}).encode(key, null, times, token).length).toBe(headerBytes + 6)
})
