import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineKey, isCanonicalKey, KEY_PATTERN } from '../../src/core/keys/key-builder.ts'
import { decodeParams } from '../../src/core/keys/key-decoding.ts'

type Build = (params: object) => string

const nasty = fc.constantFrom(
  '',
  '~',
  '#1',
  '1',
  '1n',
  '#1n',
  '!true',
  'true',
  'null',
  '!null',
  '@',
  '[]',
  '()',
  ',',
  '=',
  ':',
  '%',
  '%h',
  '%25',
  ' ',
  'a=b,c',
  '\ud800',
)
const text = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ maxLength: 12 }))
// No -0: it shares the key of 0.
const number = fc
  .oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map(value => value + 0)
const leaf = fc.oneof(
  text,
  number,
  fc.bigInt({ min: -3n, max: 3n }),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
)
const { value: nested } = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
}))
const params = fc.dictionary(text, nested, { maxKeys: 4 })
const segment = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/)
const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map(segments => segments.join(':'))
const tenant = fc.option(
  text.filter(each => each !== ''),
  { nil: undefined },
)

/** Long keys are the subject of other tests: here every key is spelled out. */
const wide = { maxBytes: 4096 }
const spelledOut = (key: string) => !key.includes('%h')

function keyOf(keyName: string, given: object, ofTenant: string | undefined): string {
  if (ofTenant === undefined) return (defineKey(keyName, wide) as unknown as Build)(given)
  return (defineKey<{ tenant: string }>(keyName, { ...wide, tenant: true }) as unknown as Build)({ ...given, tenant: ofTenant })
}

/** The same values, built anew with their properties the other way round and undefined ones among them. */
function rebuilt(value: unknown): unknown {
  if (value instanceof Date) return new Date(value)
  if (Array.isArray(value)) return value.map(rebuilt)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, each]) => [key, rebuilt(each)] as const)
  return Object.fromEntries([...entries.toReversed(), ...('left out' in value ? [] : [['left out', undefined] as const])])
}

/** Objects without a prototype equal those with one. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]))
}

describe('keys', () => {
  it('are equal exactly when names, tenants and parameters are', () => {
    const place = fc.record({ name, tenant, params: params.filter(given => !('tenant' in given)) })
    fc.assert(
      fc.property(place, place, fc.constantFrom('all', 'params', 'name', 'tenant'), (one, other, shared) => {
        const two = shared === 'all' ? other : { ...one, [shared]: other[shared] }
        const equal = isDeepStrictEqual(plain([one.name, one.tenant, one.params]), plain([two.name, two.tenant, two.params]))
        expect(keyOf(one.name, one.params, one.tenant) === keyOf(two.name, two.params, two.tenant)).toBe(equal)
      }),
      { numRuns: 2000 },
    )
  })

  it('depend neither on the order of properties nor on undefined ones', () => {
    fc.assert(
      fc.property(params, given => {
        expect(keyOf('name', rebuilt(given) as object, undefined)).toBe(keyOf('name', given, undefined))
      }),
    )
  })

  it('can be read back, so that no two parameters share one', () => {
    fc.assert(
      fc.property(params, given => {
        const key = keyOf('name', given, undefined)
        fc.pre(spelledOut(key) && key !== 'name')
        expect(plain(decodeParams(key.slice('name:'.length)))).toEqual(plain(given))
      }),
      { numRuns: 2000 },
    )
  })

  it('match the patterns, are canonical, print, and stay within their limit', () => {
    fc.assert(
      fc.property(name, params, tenant, fc.integer({ min: 256, max: 4096 }), (keyName, given, ofTenant, maxBytes) => {
        const options = ofTenant === undefined ? { maxBytes } : ({ maxBytes, tenant: true } as const)
        const build = defineKey<{ tenant: string }>(keyName, options as { tenant: true; maxBytes: number })
        const key = (build as unknown as Build)(ofTenant === undefined ? given : { ...given, tenant: ofTenant })
        expect([KEY_PATTERN.test(key), build.pattern.test(key), isCanonicalKey(key)]).toEqual([true, true, true])
        expect(Buffer.byteLength(key)).toBeLessThanOrEqual(maxBytes)
        expect(key).not.toMatch(/[\s\p{Cc}\p{Cs}]/u)
      }),
      { numRuns: 1000 },
    )
  })

  it('are canonical only as they are built: any text taken for one is what building from its parameters gives', () => {
    const soup = fc.string({ unit: fc.constantFrom(...Array.from('ab1#!@~%,=:()[]-n.0')), maxLength: 14 })
    fc.assert(
      fc.property(soup, tail => {
        const key = `name:a=${tail}`
        if (!isCanonicalKey(key)) return
        expect(keyOf('name', decodeParams(key.slice('name:'.length)) ?? {}, undefined)).toBe(key)
      }),
      { numRuns: 5000 },
    )
  })
})
