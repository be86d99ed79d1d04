import { describe, expect, it } from 'vitest'
import { createCache, isLeaseholdError } from '../../src/index.ts'
import { sameValue } from '../same-value.ts'
import { page, plain, sections, tableRows } from './pages.ts'

class Point {
  readonly x = 1
}

function nested(levels: number): unknown {
  return Array.from({ length: levels }).reduce<unknown>(inner => [inner], 'deep')
}

function selfContaining(): object {
  const value: { self?: object } = {}
  value.self = value
  return value
}

/** At least one value for each row of the page. */
const samples: Readonly<Record<string, readonly unknown[]>> = {
  'string, also empty': ['text', '', 'ümläut 🚀'],
  'finite number': [1.5, 0, -3, 2 ** 53],
  'boolean, null': [true, false, null],
  'plain object, array, nested up to 500 levels': [{ a: [1, { b: 2 }] }, [], {}, nested(500)],
  'any key, __proto__ included': [JSON.parse('{"__proto__":1,"constructor":2,"":3}')],
  'NaN, Infinity, -0': [Number.NaN, Infinity, -0],
  'undefined inside an object or array': [{ a: undefined }, [undefined]],
  'bigint of any size': [1n, 2n ** 200n, -(2n ** 65n)],
  'Date, an invalid one too': [new Date(5), new Date(Number.NaN)],
  'Map, Set': [new Map([[{ a: 1 }, 2]]), new Set(['a'])],
  'Buffer, typed arrays, ArrayBuffer, DataView': [
    Buffer.from('x'),
    new Uint8Array(2),
    new Float64Array(1),
    new BigInt64Array(1),
    new ArrayBuffer(2),
    new DataView(new ArrayBuffer(2)),
  ],
  // oxlint-disable-next-line no-sparse-arrays
  'array with holes': [[1, , 3]],
  'object with a null prototype': [Object.assign(Object.create(null) as object, { a: 1 })],
  'string with a lone surrogate': ['\uD800'],
  'function, symbol, object with a symbol for a key': [() => 1, Symbol('s'), { [Symbol('s')]: 1 }],
  'instance of a class, subclass of a built-in': [new Point(), new (class extends Map {})()],
  'Error, RegExp, URL, Promise, WeakMap, boxed primitives': [
    new Error('x'),
    /x/,
    new URL('http://localhost'),
    Promise.resolve(),
    new WeakMap(),
    Object(1),
  ],
  'accessor (get, set)': [
    {
      get a() {
        return 1
      },
    },
  ],
  'array with further properties': [Object.assign([1], { total: 1 })],
  'something that contains itself': [selfContaining()],
  'nested deeper than 500 levels': [nested(501)],
}

describe('docs/values.md', () => {
  const rows = tableRows(sections(page('docs/values.md')).get('What survives') ?? '').map(cells => cells.map(plain))

  it('is held to a sample of every row', () => {
    expect(rows.map(([value = '']) => value).toSorted()).toEqual(Object.keys(samples).toSorted())
  })

  it.each(rows)('tells the truth about: %s (msgpack: %s, json: %s)', async (name = '', ...claims) => {
    for (const [column, codec] of (['msgpack', 'json'] as const).entries()) {
      const cache = createCache({ namespace: 'docs', codec, compression: false })
      for (const value of samples[name] ?? []) expect(await survives(cache, value), codec).toBe(claims[column])
      await cache.close()
    }
  })
})

async function survives(cache: ReturnType<typeof createCache>, value: unknown): Promise<'yes' | 'refused' | 'changed'> {
  try {
    await cache.set('sample', value)
  } catch (error) {
    if (isLeaseholdError(error, 'UNSERIALIZABLE_VALUE')) return 'refused'
    throw error
  }
  return sameValue(await cache.get('sample'), value) ? 'yes' : 'changed'
}
