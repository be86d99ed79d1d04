import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { msgpack } from '../../../src/codec/msgpack.ts'
import { sameValue } from '../../same-value.ts'

const encode = (value: unknown): Buffer => Buffer.from(msgpack.serialize(value))
const roundTrip = (value: unknown): unknown => msgpack.deserialize(encode(value))

function sparse(length: number, elements: Record<number, unknown>): unknown[] {
  const array: unknown[] = Object.assign([], elements)
  array.length = length
  return array
}

function bare(properties: object): object {
  return Object.assign(Object.create(null) as object, properties)
}

describe('what comes back the same', () => {
  test.each<[string, unknown]>([
    ['null and falsy values', [null, 0, '', false, undefined]],
    ['undefined', undefined],
    ['undefined properties', { a: undefined, b: 1 }],
    ['NaN, Infinity and -0', [NaN, Infinity, -Infinity, -0, { deep: [-0] }]],
    ['-0 on its own', -0],
    ['numbers at the edges', [2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 31) - 1, Number.MAX_VALUE, Number.MIN_VALUE, 0.1]],
    ['bigints of any size', [0n, -1n, 2n ** 63n, 2n ** 64n, -(2n ** 64n), 10n ** 400n, -(10n ** 400n)]],
    ['dates', [new Date(0), new Date(1.7e12 + 123), new Date(-1), new Date(8.64e15), new Date(NaN)]],
    [
      'maps with any keys',
      new Map<unknown, unknown>([
        [{ id: 1 }, -0],
        [NaN, new Map([[null, undefined]])],
        [new Date(5), []],
      ]),
    ],
    ['sets', new Set<unknown>([1, '1', new Set([-1]), { a: 1 }])],
    ['buffers', [Buffer.from('abc'), Buffer.alloc(0), Buffer.alloc(70_000, 7)]],
    ['typed arrays', [new Uint8Array([1]), new Float32Array([0.5, -0]), new BigInt64Array([5n]), new Uint8ClampedArray(3)]],
    ['array buffers and views', [new Uint8Array([1, 2]).buffer, new DataView(new ArrayBuffer(4))]],
    ['typed arrays over part of a buffer', new Uint16Array(new Uint8Array([0, 0, 1, 2, 3, 4]).buffer, 2, 1)],
    ['unicode', ['größe', '日本語', '👩‍🚀', '\0', '\u2028', `${'x'.repeat(100)}é`, 'é'.repeat(5000)]],
    ['holes', [sparse(3, { 1: undefined }), sparse(5, {}), sparse(4_294_967_295, { 7: -0 })]],
    ['null prototypes', bare({ a: bare({ b: -0 }), c: [bare({})] })],
    ['awkward keys', JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"hasOwnProperty":3,"toJSON":4,"":5,"__keys__":6}')],
    [
      'awkward keys without a prototype',
      Object.defineProperty(bare({ b: 1 }), '__proto__', { value: 1, enumerable: true, writable: true, configurable: true }),
    ],
    ['a key that msgpackr uses for itself', [{ a: 1, __keys__: 2 }, { a: 1 }, { a: 1, __keys__: 2 }]],
    ['empty objects', [{}, {}, { a: {} }, [], new Map(), new Set()]],
    ['a large object', Object.fromEntries(Array.from({ length: 70_000 }, (_, at) => [`key${at}`, at]))],
    ['a large array', Array.from({ length: 70_000 }, (_, at) => at * 1.5)],
    ['a large string', 'é'.repeat(300_000)],
    [
      'more shapes than a table holds',
      Array.from({ length: 300 }, (_, at) => ({ [`k${at % 90}`]: at, [`j${at % 7}`]: { [`i${at}`]: 1 } })),
    ],
    [
      'keys that are no identifiers',
      Array.from({ length: 10 }, () => ({ 'a-b': 1, '"': 2, "'": 3, '\n': 4, '${x}': 5, default: 6 })),
    ],
  ])('%s', (_what, value) => {
    expect(sameValue(roundTrip(value), value)).toBe(true)
  })

  test('shared references come back as separate copies', () => {
    const shared = { a: 1 }
    const [first, second] = roundTrip([shared, shared]) as [object, object]
    expect(first).toEqual(second)
    expect(first).not.toBe(second)
  })
})

test('a payload is read without anything but itself: shapes of one value are not needed by the next', () => {
  const first = encode({ a: 1, b: { c: 2 } })
  const second = encode([{ b: 1 }, { c: 1 }])
  expect(msgpack.deserialize(second)).toEqual([{ b: 1 }, { c: 1 }])
  expect(msgpack.deserialize(first)).toEqual({ a: 1, b: { c: 2 } })
  expect(encode({ a: 1, b: { c: 2 } })).toEqual(first)
})

test('decoded binary shares no memory with the bytes it came from', () => {
  const bytes = encode({ buffer: Buffer.from('abc'), view: new Uint16Array([1, 2]) })
  const first = msgpack.deserialize(bytes) as { buffer: Buffer; view: Uint16Array }
  bytes.fill(0xff, 5)
  expect(first).toEqual({ buffer: Buffer.from('abc'), view: new Uint16Array([1, 2]) })
  expect(Buffer.isBuffer(first.buffer)).toBe(true)
  expect(first.buffer.buffer).not.toBe(bytes.buffer)
})

describe('hostile payloads', () => {
  const good = { id: 1, name: 'Ada' }
  const encoded = encode(good)
  const payload = (flags: number, ...body: number[]): Buffer => Buffer.from([flags, 0, 0, 0, 0, ...body])

  test('cannot redefine the shapes that other payloads with the same table use', () => {
    const table = Buffer.from(encoded.subarray(0, 5 + encoded.readUInt32BE(1)))
    table[0] = 0
    const evilShape = [0xd4, 0x72, 0x40, 0x92, 0xa1, 0x78, 0xa1, 0x79]
    const forged = Buffer.concat([table, Buffer.from([...evilShape, 1, 2])])
    const forgedBroken = Buffer.concat([table, Buffer.from([...evilShape, 1])])
    expect(msgpack.deserialize(forged)).toEqual({ x: 1, y: 2 })
    expect(msgpack.deserialize(encoded)).toEqual(good)
    expect(() => msgpack.deserialize(forgedBroken)).toThrow(Error)
    expect(msgpack.deserialize(encoded)).toEqual(good)
  })

  test('cannot set a prototype by a shape or a key', () => {
    const inner = new Packr({ useRecords: false })
    const table = inner.pack([['__proto__', 'a']])
    const prefix = Buffer.from([0, 0, 0, 0, table.length])
    const body = Buffer.from([0x95, ...[0, 1, 2, 3, 4].flatMap(() => [0x40, 0x81, 0xa1, 0x78, 1, 1])])
    const read = msgpack.deserialize(Buffer.concat([prefix, table, body])) as object[]
    expect(read.map(record => Object.getPrototypeOf(record) as unknown)).toEqual(Array(5).fill(Object.prototype))
    expect(read.map(record => (record as { x?: number }).x)).toEqual(Array(5).fill(undefined))
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test.each([100, 5_000, 200_000])('nested %i deep are read or raise an ordinary error', depth => {
    const bomb = Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), Buffer.alloc(depth, 0x91), Buffer.from([1])])
    let failure: unknown
    try {
      msgpack.deserialize(bomb)
    } catch (error) {
      failure = error
    }
    expect(failure === undefined || failure instanceof Error).toBe(true)
    expect(msgpack.deserialize(encoded)).toEqual(good)
  })

  test.each<[string, Buffer]>([
    ['no bytes', Buffer.alloc(0)],
    ['a prefix alone', Buffer.from([0, 0, 0, 0, 0])],
    ['unknown flags', payload(3, 1)],
    ['more unknown flags', payload(4, 1)],
    ['a table longer than the payload', Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1])],
    ['a table of numbers', Buffer.from([0, 0, 0, 0, 2, 0x91, 1, 1])],
    ['a table of lists of numbers', Buffer.from([0, 0, 0, 0, 3, 0x91, 0x91, 1, 1])],
    ['an array that claims four thousand million elements', payload(0, 0xdd, 0xff, 0xff, 0xff, 0xff, 1)],
    ['a string that claims four gigabytes', payload(0, 0xdb, 0xff, 0xff, 0xff, 0xff, 1)],
    ['bytes after the value', payload(0, 1, 1)],
    ['an unknown disguise', payload(1, 0x92, 0xc1, 0xa1, 0x78)],
    ['references, which are never written', payload(0, 0xd6, 0x70, 0, 0, 0, 1)],
  ])('%s', (_what, bytes) => {
    expect(() => msgpack.deserialize(bytes)).toThrow(Error)
  })
})
