import { describe, expect, test } from 'vitest'
import { checkForJson, checkForMsgpack, maxDepth } from '../../../src/codec/check-value.ts'
import { isLeaseholdError } from '../../../src/core/errors.ts'

/** In an array, so that the class gets no name. */
const anonymous = [
  class {
    id = 1
  },
] as const

function withHole(): unknown[] {
  const array: unknown[] = [1]
  array[2] = 3
  return array
}

class User {
  name = 'Ada'
}

function refusal(check: (value: unknown) => unknown, value: unknown): string {
  try {
    check(value)
  } catch (error) {
    if (!isLeaseholdError(error, 'UNSERIALIZABLE_VALUE')) throw error
    return error.message.replace(/, which the codec.*/, '')
  }
  return 'kept'
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = { a: value }
  return value
}

function withAccessor(): object {
  return Object.defineProperty({}, 'secret', { enumerable: true, get: () => 1 })
}

const cyclic: { self?: unknown; list: unknown[] } = { list: [] }
cyclic.list.push(cyclic)

const neverKept: [string, unknown, string][] = [
  ['functions', { user: { tags: [1, 2, 3, () => 1] } }, '$.user.tags[3] is a function'],
  ['symbols', [Symbol('s')], '$[0] is a symbol'],
  ['class instances', { user: new User() }, '$.user is an instance of User'],
  ['subclasses of arrays', new (class List extends Array {})(), '$ is an instance of List'],
  ['symbol keys', { a: { [Symbol('s')]: 1 } }, '$.a is an object with a symbol for a key'],
  ['symbol keys of arrays', Object.assign([1], { [Symbol('s')]: 1 }), '$ is an array with a symbol for a key'],
  ['properties of arrays', { a: Object.assign([1], { extra: 1 }) }, '$.a is an array with properties besides its elements'],
  [
    'properties of long arrays',
    Object.assign(Array(500).fill(0), { extra: 1 }),
    '$ is an array with properties besides its elements',
  ],
  ['accessors', { a: withAccessor() }, '$.a.secret is an accessor'],
  ['promises', { a: Promise.resolve(1) }, '$.a is an instance of Promise'],
  ['weak collections', [new WeakMap(), new WeakSet()], '$[0] is an instance of WeakMap'],
  ['weak references', [new WeakRef({})], '$[0] is an instance of WeakRef'],
  ['regular expressions', { a: /x/ }, '$.a is an instance of RegExp'],
  ['errors', { a: new TypeError('x') }, '$.a is an instance of TypeError'],
  ['boxed primitives', [new String('x')], '$[0] is an instance of String'],
  ['anonymous classes', [new anonymous[0]()], '$[0] is an instance of a class'],
  ['URLs', { 'the url': new URL('http://a') }, '$["the url"] is an instance of URL'],
  ['cycles', cyclic, '$.list[0].list[0].list[0].list[0].list[0].list[0]… is part of a cycle'],
  ['deep nesting', nested(maxDepth + 1), `$${'.a'.repeat(12)}… is nested deeper than ${maxDepth} levels`],
]

describe.each([
  ['json', checkForJson],
  ['msgpack', checkForMsgpack],
])('%s refuses, naming path and type,', (_name, check) => {
  test.each(neverKept)('%s', (_what, value, message) => {
    expect(refusal(check, value)).toBe(message)
  })

  test('never the value itself', () => {
    expect(refusal(check, { token: Object('s3cret') })).not.toContain('s3cret')
  })

  test('nothing up to the depth it documents', () => {
    expect(refusal(check, nested(maxDepth))).toBe('kept')
  })
})

describe('msgpack refuses, besides,', () => {
  test.each<[string, unknown, string]>([
    ['lone surrogates', { a: ['\ud800x'] }, '$.a[0] is a string with a lone surrogate'],
    ['lone surrogates in keys', { a: { '\udc00': 1 } }, '$.a is an object with a lone surrogate in a key'],
    ['values of Maps', { m: new Map([['k', User]]) }, '$.m.k is a function'],
    ['values of Maps under keys that are not strings', new Map([[1, Symbol()]]), '$[<value 0>] is a symbol'],
    ['keys of Maps', new Map([[User, 1]]), '$[<key 0>] is a function'],
    ['members of Sets', new Set([1, User]), '$[<member 1>] is a function'],
    ['properties of Maps', Object.assign(new Map(), { extra: 1 }), '$ is an instance of Map with properties of its own'],
    ['properties of Dates', Object.assign(new Date(0), { extra: 1 }), '$ is an instance of Date with properties of its own'],
    [
      'properties of Buffers',
      Object.assign(Buffer.alloc(100), { extra: 1 }),
      '$ is binary data with properties besides its elements',
    ],
    ['subclasses of Map', new (class Index extends Map {})(), '$ is an instance of Index'],
    ['subclasses of Buffer', new (class Blob2 extends Uint8Array {})(1), '$ is an instance of Blob2'],
    ['shared memory', new SharedArrayBuffer(1), '$ is an instance of SharedArrayBuffer'],
    ['what only claims to be a Date', Object.create(Date.prototype), '$ is an instance of Date'],
    [
      'properties of sparse arrays',
      Object.assign(withHole(), { extra: 1 }),
      '$ is an array with properties besides its elements',
    ],
  ])('%s', (_what, value, message) => {
    expect(refusal(checkForMsgpack, value)).toBe(message)
  })
})

describe('json refuses what JSON would change:', () => {
  test.each<[string, unknown, string]>([
    ['undefined', undefined, '$ is undefined'],
    ['undefined properties', { a: undefined }, '$.a is undefined'],
    ['NaN', [NaN], '$[0] is NaN'],
    ['Infinity', [-Infinity], '$[0] is -Infinity'],
    ['-0', [-0], '$[0] is -0'],
    ['bigints', { a: 1n }, '$.a is a bigint'],
    ['Dates', { a: new Date() }, '$.a is an instance of Date'],
    ['Maps', { a: new Map() }, '$.a is an instance of Map'],
    ['Sets', { a: new Set() }, '$.a is an instance of Set'],
    ['Buffers', { a: Buffer.alloc(1) }, '$.a is an instance of Buffer'],
    ['typed arrays', { a: new Uint8Array(1) }, '$.a is an instance of Uint8Array'],
    ['holes', withHole(), '$ is an array with holes'],
    ['null prototypes', { a: Object.create(null) }, '$.a is an object with a null prototype'],
    ['toJSON', { toJSON: () => 1 }, '$.toJSON is a function'],
  ])('%s', (_what, value, message) => {
    expect(refusal(checkForJson, value)).toBe(message)
  })
})

test('long arrays and binary data without extra properties pass, whatever their length', () => {
  for (const length of [0, 1, 63, 64, 65, 1000, 100_000]) {
    expect(refusal(checkForMsgpack, Array(length).fill('x'))).toBe('kept')
    expect(refusal(checkForMsgpack, Buffer.alloc(length))).toBe('kept')
    expect(refusal(checkForMsgpack, new Float64Array(length))).toBe('kept')
  }
})

test('an enormous sparse array is checked by its elements', () => {
  const sparse: unknown[] = [1]
  sparse[4_000_000_000] = () => 1
  expect(refusal(checkForMsgpack, sparse)).toBe('$[4000000000] is a function')
})
