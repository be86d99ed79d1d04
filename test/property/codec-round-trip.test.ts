import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { json } from '../../src/codec/json.ts'
import { msgpack } from '../../src/codec/msgpack.ts'
import { isLeaseholdError } from '../../src/core/errors.ts'
import { sameValue } from '../same-value.ts'

const awkwardKey = fc.constantFrom(
  '__proto__',
  '__keys__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'toJSON',
  '',
  '0',
  'a b',
  '"',
  '\u2028',
)
const key = fc.oneof({ weight: 3, arbitrary: fc.string({ maxLength: 6 }) }, awkwardKey)
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(-0, NaN, Infinity, 2 ** 53, -(2 ** 53), 2 ** 32, 2 ** 31, 5e-324),
)
const bigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.constantFrom(2n ** 63n, 2n ** 64n, -(2n ** 63n)),
)
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.string({ minLength: 60, maxLength: 300 }),
)

const value = fc.oneof(
  fc.anything({
    key,
    values: [fc.boolean(), number, bigint, text, fc.constant(undefined), fc.constant(null)],
    maxDepth: 4,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withTypedArray: true,
    withSparseArray: true,
  }),
  fc.uint8Array().map(bytes => Buffer.from(bytes)),
  fc.array(fc.record({ id: fc.nat(), name: text, price: number, at: fc.date(), tags: fc.array(text) }, { requiredKeys: ['id'] })),
)

describe('msgpack', () => {
  test('brings every value back the same, and leaves the original alone', () => {
    fc.assert(
      fc.property(value, original => {
        const before = structuredCloneOf(original)
        const bytes = Buffer.from(msgpack.serialize(original))
        expect(sameValue(msgpack.deserialize(bytes), original)).toBe(true)
        expect(sameValue(original, before)).toBe(true)
      }),
      { numRuns: 1500 },
    )
  })

  test('keeps dates to the millisecond over their whole range', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: false }), date => {
        expect(sameValue(msgpack.deserialize(Buffer.from(msgpack.serialize(date))), date)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('keeps values of many shapes, met in any order', () => {
    const shape = fc.uniqueArray(fc.oneof(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), key), { maxLength: 6 })
    const record = shape.map(keys => Object.fromEntries(keys.map((name, at) => [name, at])))
    fc.assert(
      fc.property(fc.array(record, { minLength: 20, maxLength: 150 }), records => {
        expect(sameValue(msgpack.deserialize(Buffer.from(msgpack.serialize(records))), records)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('reads any bytes to a value or an ordinary error, and pollutes no prototype', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 40 }), (bytes, tableBytes) => {
        const payload = Buffer.concat([Buffer.from([0, 0, 0, 0, tableBytes]), bytes])
        const disguised = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), bytes])
        const failures = [payload, disguised].map(given => failureOf(() => msgpack.deserialize(given)))
        expect(failures.every(failure => failure === undefined || failure instanceof Error)).toBe(true)
        expect(Object.keys(Object.prototype)).toEqual([])
      }),
      { numRuns: 2000 },
    )
    expect(msgpack.deserialize(Buffer.from(msgpack.serialize({ still: ['works'] })))).toEqual({ still: ['works'] })
  })
})

describe('json', () => {
  test('brings back the same, or refuses, exactly what JSON keeps or changes', () => {
    fc.assert(
      fc.property(fc.oneof(value, fc.jsonValue()), original => {
        const stringified = safeStringify(original)
        const kept = stringified !== undefined && sameValue(JSON.parse(stringified), original)
        const attempt = trySerialize(original)
        expect(isLeaseholdError(attempt, 'UNSERIALIZABLE_VALUE')).toBe(!kept)
        expect(attempt instanceof Uint8Array && sameValue(json.deserialize(Buffer.from(attempt)), original)).toBe(kept)
      }),
      { numRuns: 1500 },
    )
  })
})

function trySerialize(original: unknown): unknown {
  try {
    return json.serialize(original)
  } catch (error) {
    return error
  }
}

function safeStringify(original: unknown): string | undefined {
  try {
    return JSON.stringify(original)
  } catch {
    return undefined
  }
}

/** By our own hands: structuredClone drops null prototypes. */
function structuredCloneOf(original: unknown): unknown {
  if (Array.isArray(original)) {
    const copy: unknown[] = []
    for (const index of Object.keys(original)) copy[Number(index)] = structuredCloneOf(original[Number(index)])
    copy.length = original.length
    return copy
  }
  if (original instanceof Map) return new Map(Array.from(original, ([k, v]) => [structuredCloneOf(k), structuredCloneOf(v)]))
  if (original instanceof Set) return new Set(Array.from(original, structuredCloneOf))
  if (Buffer.isBuffer(original)) return Buffer.from(original)
  const prototype: unknown = typeof original === 'object' && original !== null ? Object.getPrototypeOf(original) : undefined
  if (prototype !== null && prototype !== Object.prototype) return structuredClone(original)
  const copy = Object.create(prototype) as object
  for (const [name, held] of Object.entries(original as object)) {
    Object.defineProperty(copy, name, { value: structuredCloneOf(held), enumerable: true, writable: true, configurable: true })
  }
  return copy
}

/** What the reader threw, if it did. */
function failureOf(read: () => unknown): unknown {
  try {
    read()
    return undefined
  } catch (error) {
    return error
  }
}
