import { describe, expect, test, vi } from 'vitest'
import { msgpack } from '../../../src/codec/msgpack.ts'

const flagPlain = 2
const encode = (value: unknown): Buffer => Buffer.from(msgpack.serialize(value))
const isPlain = (value: unknown): boolean => encode(value)[0] === flagPlain
const plain = (...body: number[]): Buffer => Buffer.from([flagPlain, 0, 0, 0, 0, ...body])

/** As often as it takes for shapes to be compiled, and once more. */
function readOften(value: unknown): unknown[] {
  const bytes = encode(value)
  return Array.from({ length: 10 }, () => msgpack.deserialize(bytes))
}

describe('a plain payload', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['booleans', [true, false]],
    [
      'whole numbers around every change of width',
      [31, 63, 64, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53],
    ],
    ['negative ones', [-1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53)]],
    ['fractions, and what is no number', [0.1, -2.5, 5e-324, 1.7976931348623157e308, NaN, Infinity, -Infinity]],
    ['text of every length', ['', 'a', 'a'.repeat(31), 'a'.repeat(32), 'a'.repeat(255), 'a'.repeat(256), 'a'.repeat(70_000)]],
    ['control characters', ['\0', '\n\t\x7f']],
    ['arrays of every length', Array.from({ length: 20 }, (_, length) => Array.from({ length }, (__, at) => at))],
    ['a long array', Array.from({ length: 70_000 }, (_, at) => at % 7)],
    ['objects', { a: 1, b: { c: [{ d: 'x' }, {}] } }],
    ['objects whose keys are not ASCII, or no names', [{ größe: 1 }, { 'a-b': 1, '"': 2, '\u2028': 3, '0': 4, '${x}': 5 }]],
    ['as many shapes as fit beside others', Array.from({ length: 31 }, (_, at) => ({ [`key${at}`]: at }))],
  ])('holds %s', (_what, value) => {
    expect(isPlain(value)).toBe(true)
    expect(readOften(value)).toEqual(Array.from({ length: 10 }, () => value))
  })

  test.each<[string, unknown]>([
    ['text that is not ASCII', 'größe'],
    ['long text that is not ASCII', `${'a'.repeat(100)}é`],
    ['undefined', { a: undefined }],
    ['a bigint', [1n]],
    ['a Date', new Date(0)],
    ['a Map', new Map([['a', 1]])],
    ['binary data', Buffer.from('a')],
    ['-0', [-0]],
    ['more shapes than a table lists', Array.from({ length: 32 }, (_, at) => ({ [`key${at}`]: at }))],
  ])('does not hold %s, which is read all the same', (_what, value) => {
    expect(isPlain(value)).toBe(false)
    expect(readOften(value)).toEqual(Array.from({ length: 10 }, () => value))
  })

  test('gives every reader objects and arrays of its own', () => {
    const value = { none: [], one: [1], many: [1, 2, 3, 4], list: [{ a: 1 }] }
    for (const own of readOften(value) as (typeof value)[]) {
      expect(own).toEqual(value)
      for (const array of Object.values(own) as unknown[][]) array.push('changed')
      Object.assign(own.list[0] as object, { a: 'changed', b: 'added' })
    }
    expect(readOften(value)).toEqual(Array.from({ length: 10 }, () => value))
  })

  test('is read where code may not be generated', () => {
    const forbidden = vi.spyOn(globalThis, 'Function').mockImplementation(function forbid() {
      throw new EvalError('Code generation from strings disallowed for this context')
    })
    try {
      const value = { only: 'here', where: ['no', 'code'] }
      expect(readOften(value)).toEqual(Array.from({ length: 10 }, () => value))
      expect(forbidden).toHaveBeenCalled()
    } finally {
      forbidden.mockRestore()
    }
  })
})

describe('what calls itself plain and is not raises an ordinary error:', () => {
  test.each<[string, Buffer]>([
    ['nothing', plain()],
    ['text that ends early', plain(0xa3, 0x61)],
    ['a number that ends early', plain(0xcd, 1)],
    ['a fraction that ends early', plain(0xcb, 1, 2)],
    ['an array that ends early', plain(0x93, 1, 2)],
    ['an array that claims four thousand million elements', plain(0xdd, 0xff, 0xff, 0xff, 0xff, 1)],
    ['text that claims four gigabytes', plain(0xdb, 0xff, 0xff, 0xff, 0xff, 1)],
    ['bytes after the value', plain(1, 1)],
    ['a shape that no table lists', plain(0x40, 1)],
    ['a shape defined in the body', plain(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1)],
    ['a map', plain(0x81, 0xa1, 0x61, 1)],
    ['a token that is never used', plain(0xc1)],
    ['a shape with __proto__', Buffer.from([flagPlain, 0, 0, 0, 12, 0x91, 0x91, 0xa9, ...Buffer.from('__proto__'), 0x40, 1])],
    ['arrays nested past the stack', Buffer.concat([plain(), Buffer.alloc(200_000, 0x91), Buffer.from([1])])],
  ])('%s', (_what, bytes) => {
    expect(() => msgpack.deserialize(bytes)).toThrow(RangeError)
    expect(msgpack.deserialize(encode({ a: [1] }))).toEqual({ a: [1] })
  })

  test('lengths that lie take no memory', () => {
    const nested = Buffer.concat([plain(), ...Array.from({ length: 1000 }, () => Buffer.from([0xdd, 0, 0xff, 0xff, 0xff]))])
    expect(() => msgpack.deserialize(nested)).toThrow(RangeError)
  })
})
