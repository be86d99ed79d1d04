import { describe, expect, test, vi } from 'vitest'
import { deepFreeze } from '../../../src/codec/deep-freeze.ts'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import { FrozenValues } from '../../../src/codec/frozen-values.ts'
import { headerBytes, markExpired, offset } from '../../../src/codec/header.ts'
import { json } from '../../../src/codec/json.ts'
import type { Serializer } from '../../../src/core/options/options.ts'
import type { Entry, EntryCodec } from '../../../src/core/ports.ts'

const key = { key: 'user:1', version: 0 }
const times = { createdAt: 1000, freshUntil: 2000, hardUntil: 3000, loadMs: 4 }
const token = (byte: number): Buffer => Buffer.alloc(16, byte)

function freezing(codec: 'msgpack' | 'json' | Serializer = 'msgpack'): EntryCodec {
  return createEntryCodec({
    namespace: 'shop',
    values: 'freeze',
    codec,
    compression: 'deflate',
    compressAbove: 1024,
    maxValueBytes: 1 << 20,
  })
}

function opened(codec: EntryCodec, bytes: Buffer, of: typeof key = key): Entry {
  const entry = codec.open(of, bytes)
  if ('unreadable' in entry) throw new Error(`unreadable: ${entry.unreadable}`)
  return entry
}

describe('under freeze', () => {
  const value = { list: [{ a: 1 }], map: new Map([['k', { b: 1 }]]), set: new Set([1]), at: new Date(5) }

  test('a value is frozen deeply, and equal to what was stored', () => {
    const codec = freezing()
    const frozen = opened(codec, codec.encode(key, value, times, token(1))).value() as typeof value
    expect(frozen).toEqual(value)
    const changes: (() => unknown)[] = [
      () => frozen.list.push({ a: 2 }),
      () => (frozen.list[0] as { a: number }).a++,
      () => frozen.map.set('x', { b: 2 }),
      () => frozen.map.clear(),
      () => frozen.map.delete('k'),
      () => (frozen.map.get('k') as { b: number }).b++,
      () => frozen.set.add(2),
      () => frozen.set.delete(1),
      () => frozen.set.clear(),
      () => frozen.at.setTime(9),
      () => frozen.at.setUTCHours(9),
    ]
    for (const change of changes) expect(change).toThrow(TypeError)
    expect(frozen).toEqual(value)
    expect([frozen.map instanceof Map, frozen.set instanceof Set, frozen.at instanceof Date]).toEqual([true, true, true])
  })

  test('a frozen value may be stored again', () => {
    const codec = freezing()
    const frozen = opened(codec, codec.encode(key, value, times, token(1))).value()
    const again = opened(codec, codec.encode(key, { frozen }, times, token(2))).value()
    expect(again).toEqual({ frozen: value })
  })

  test('bytes that carry a token already decoded are neither decoded nor checked again', () => {
    const deserialize = vi.fn<Serializer['deserialize']>(bytes => json.deserialize(bytes))
    const codec = freezing({ ...json, id: 200, deserialize })
    const bytes = codec.encode(key, { a: 1 }, times, token(1))
    const first = opened(codec, bytes).value()
    const damaged = Buffer.from(bytes)
    damaged[damaged.length - 1] = 0
    expect(opened(codec, Buffer.from(bytes)).value()).toBe(first)
    expect(opened(codec, damaged).value()).toBe(first)
    expect(deserialize).toHaveBeenCalledOnce()
  })

  test('freshness comes from the header just read or from the one that was verified, never from damaged bytes', () => {
    const codec = freezing()
    const bytes = codec.encode(key, { a: 1 }, times, token(1))
    opened(codec, bytes).value()
    const damaged = Buffer.from(bytes)
    damaged.fill(0xff, offset.createdAt, offset.freshUntil)
    damaged.fill(0xff, offset.hardUntil, offset.token)
    const entry = opened(codec, damaged)
    expect([entry.createdAt, entry.freshUntil, entry.hardUntil, entry.loadMs]).toEqual([1000, 2000, 3000, 4])
    markExpired(bytes)
    expect(opened(codec, bytes).expired).toBe(true)
    damaged[offset.mark] = 0x10
    expect(codec.open(key, damaged)).toMatchObject({ unreadable: 'checksum' })
  })

  test('bytes that tell another time of freshness are checked again: an acquire goes by them alone', () => {
    const codec = freezing()
    const bytes = codec.encode(key, { a: 1 }, times, token(1))
    opened(codec, bytes).value()
    for (let at: number = offset.freshUntil; at < offset.hardUntil; at++) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] as number) ^ 0x10
      expect(codec.open(key, damaged)).toMatchObject({ unreadable: 'checksum' })
    }
  })

  test('a token is only trusted for its own key and version', () => {
    const codec = freezing()
    const bytes = codec.encode(key, { a: 1 }, times, token(1))
    opened(codec, bytes).value()
    expect(codec.open({ key: 'user:2', version: 0 }, bytes)).toMatchObject({ unreadable: 'checksum' })
    expect(codec.open({ key: 'user:1', version: 1 }, bytes)).toMatchObject({ unreadable: 'checksum' })
  })

  test('a new token is decoded anew', () => {
    const codec = freezing()
    opened(codec, codec.encode(key, { a: 1 }, times, token(1))).value()
    expect(opened(codec, codec.encode(key, { a: 2 }, times, token(2))).value()).toEqual({ a: 2 })
    expect(opened(codec, codec.encode(key, { a: 1 }, times, token(1))).value()).toEqual({ a: 1 })
  })

  test('values that hold binary data cannot be frozen, so each caller gets its own', () => {
    const codec = freezing()
    const bytes = codec.encode(key, { blob: Buffer.from('abc'), list: [1] }, times, token(1))
    const entry = opened(codec, bytes)
    const first = entry.value() as { blob: Buffer; list: number[] }
    first.blob.fill(0)
    expect(() => first.list.push(2)).toThrow(TypeError)
    expect(entry.value()).toEqual({ blob: Buffer.from('abc'), list: [1] })
    expect(opened(codec, bytes).value()).toEqual({ blob: Buffer.from('abc'), list: [1] })
  })
})

describe('remembered values', () => {
  const header = (byte: number): Buffer => Buffer.alloc(headerBytes, byte)

  test('stay within their bytes, the least recently used leaving first', () => {
    const values = new FrozenValues({ payloadBytes: 10_000 })
    const keys = ['a', 'b', 'c', 'd', 'e'].map(name => ({ key: name, version: 0 }))
    for (const each of keys.slice(0, 4)) values.remember(each, header(1), each.key, 2000)
    values.find({ key: 'a', version: 0 }, header(1))
    values.remember({ key: 'e', version: 0 }, header(1), 'e', 2000)
    expect(keys.map(each => values.find(each, header(1))?.value)).toEqual(['a', undefined, 'c', 'd', 'e'])
  })

  test('of more than a quarter of the room are not kept', () => {
    const values = new FrozenValues({ payloadBytes: 10_000 })
    values.remember(key, header(1), 'large', 2600)
    expect(values.find(key, header(1))).toBeUndefined()
  })

  test('stay within their number and the memory they are estimated to take', () => {
    const few = new FrozenValues({ maxEntries: 2, maxBytes: 1_000_000 })
    const small = new FrozenValues({ maxEntries: 100, maxBytes: 10_000 })
    const keys = ['a', 'b', 'c'].map(name => ({ key: name, version: 0 }))
    for (const each of keys) {
      few.remember(each, header(1), each.key, 1)
      // Two of them have no room, however few bytes they were when they were encoded.
      small.remember(each, header(1), 'x'.repeat(2_500), 1)
    }
    expect(keys.map(each => few.find(each, header(1))?.value)).toEqual([undefined, 'b', 'c'])
    expect(keys.map(each => small.find(each, header(1)) !== undefined)).toEqual([false, false, true])
    expect([few.size.entries, small.size.entries, small.size.bytes > 5_000]).toEqual([2, 1, true])
  })

  test('of keys that only look like another key and version are not mistaken for it', () => {
    const values = new FrozenValues()
    values.remember({ key: '1\0a', version: 0 }, header(1), 'x', 1)
    expect(values.find({ key: 'a', version: 1 }, header(1))).toBeUndefined()
    expect(values.find({ key: '1\0a', version: 0 }, header(1))?.value).toBe('x')
  })

  test('keep no hold on the bytes they came from', () => {
    const values = new FrozenValues()
    const bytes = header(1)
    const remembered = values.remember(key, bytes, 'x', 1)
    bytes.fill(2)
    expect(remembered.header).toEqual(header(1))
  })
})

test('freezing goes on past the first binary part', () => {
  const value = { blob: Buffer.from('x'), map: new Map([[Buffer.from('k'), { a: 1 }]]), after: { b: 1 } }
  expect(deepFreeze(value)).toBe(false)
  expect(Object.isFrozen(value.after)).toBe(true)
  expect(Object.isFrozen([...value.map.values()][0])).toBe(true)
})
