import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Keys } from '../../../src/redis/keys.ts'
import { parseKey, unescapeKey } from '../../../src/redis/parse-key.ts'

const keys = new Keys('shop', 'app:', 0, 512)

describe('parseKey', () => {
  it('reads back what Keys spells, whatever the key', () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      fc.string({ unit: fc.constantFrom(':', '{', '}', '%', 'v', '\n', '\ud800'), minLength: 1 }),
    )
    fc.assert(
      fc.property(key, fc.integer({ min: 0, max: 65_535 }), (text, version) => {
        const of = { owner: 'app:shop', version, key: text, hashed: false, inPlace: true }
        expect(parseKey(keys.value({ key: text, version }))).toEqual({ ...of, kind: 'value' })
        expect(parseKey(keys.lease({ key: text, version }))).toEqual({ ...of, kind: 'lease' })
      }),
    )
  })

  it('tells a key that was hashed by its readable beginning', () => {
    const long = `report:${'x'.repeat(600)}`
    expect(parseKey(keys.value({ key: long, version: 0 }))).toMatchObject({
      hashed: true,
      inPlace: true,
      key: expect.stringMatching(/^report:%h/) as unknown,
    })
  })

  it('sees when a key is not where it is looked for', () => {
    const at = keys.value({ key: 'a', version: 0 })
    const elsewhere = at.replace(
      /\{p(\d{4})\}/,
      (_, partition) => `{p${String((Number(partition) + 1) % 1024).padStart(4, '0')}}`,
    )
    expect(parseKey(elsewhere)).toMatchObject({ key: 'a', inPlace: false })
  })

  it("knows the namespace's own keys", () => {
    expect(parseKey('shop:{t}:n')).toMatchObject({ owner: 'shop', kind: 'record' })
    expect(parseKey('shop:{t}:c')).toMatchObject({ owner: 'shop', kind: 'changes' })
    expect(parseKey('shop:{t}:p')).toMatchObject({ owner: 'shop', kind: 'pulse' })
    expect(parseKey('shop:{t}:x')).toBeUndefined()
    expect(parseKey('app:shop:{t}:t')).toMatchObject({ owner: 'app:shop', kind: 'tags' })
  })

  it.each([
    '',
    'user:1',
    ':{p0001}:v:a',
    'shop:{p1}:v:a',
    'shop:{p0001}:v:',
    'shop:{p0001}:x:a',
    'shop:{p0001}:v01:a',
    'shop:{t}:x',
    'shop:bus',
  ])('takes %j for none of ours', name => {
    expect(parseKey(name)).toBeUndefined()
  })

  it('leaves alone what is no escape', () => {
    expect(unescapeKey('100%25 %zz %u12')).toBe('100% %zz %u12')
  })
})
