import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { defineKey, isCanonicalKey, KEY_PATTERN } from '../../src/core/keys/key-builder.ts'

const anyKey = defineKey('any') as (params: object) => string
const spelled = (value: unknown) => anyKey({ p: value }).slice('any:p='.length)
const invalid = (message: string | RegExp) =>
  expect.objectContaining({ code: 'INVALID_KEY', message: expect.stringMatching(message) as string })

describe('a key', () => {
  it('is readable: its name, then its parameters in order of their names', () => {
    const userKey = defineKey<{ tenant: string; id: string }>('catalog:user')
    expect(userKey({ tenant: 'acme', id: 'u_1' })).toBe('catalog:user:id=u_1,tenant=acme')
  })

  it.each([
    ['u_1', 'u_1'],
    ['a.b+c@d/e', 'a.b+c@d/e'],
    ['日本 😀', '日本%20😀'],
    ['', '~'],
    ['~', '%7E'],
    ['a~', 'a~'],
    ['#1', '%231'],
    ['!true', '%21true'],
    ['@me', '%40me'],
    ['a=b,c:d', 'a%3Db%2Cc%3Ad'],
    ['[x](y)', '%5Bx%5D%28y%29'],
    ['100%', '100%25'],
    ['a\0\r\n\tb', 'a%00%0D%0A%09b'],
    ['\u2028', '%u2028'],
    ['\ud83d', '%uD83D'],
    [1, '#1'],
    [-1.5, '#-1.5'],
    [1e21, '#1e+21'],
    [0, '#0'],
    [-0, '#0'],
    [1n, '#1n'],
    [-5n, '#-5n'],
    [true, '!true'],
    [false, '!false'],
    [null, '!null'],
    [new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), '@2026-01-02T03:04:05.678Z'],
    [new Date(8.64e15), '@+275760-09-13T00:00:00.000Z'],
    [[], '[]'],
    [[''], '[~]'],
    [['a', 1, [null]], '[a,#1,[!null]]'],
    [{}, '()'],
    [{ z: 1, a: { b: 'c' } }, '(a=(b=c),z=#1)'],
  ])('spells %o as %s', (value, text) => {
    expect(spelled(value)).toBe(text)
    expect(isCanonicalKey(anyKey({ p: value }))).toBe(true)
  })

  it('leaves out undefined properties, at every depth', () => {
    expect(anyKey({ a: undefined, b: { c: undefined, d: 1 } })).toBe('any:b=(d=#1)')
    expect(anyKey({ a: undefined })).toBe(anyKey({}))
  })

  it('is the name alone without parameters', () => {
    const settings = defineKey('settings')
    expect(settings()).toBe('settings')
    expect(settings({})).toBe('settings')
  })

  it('does not depend on the order of properties, by letters and not by language', () => {
    expect(anyKey({ b: 1, a: 2, B: 3, ä: 4, 10: 5, 9: 6 })).toBe('any:10=#5,9=#6,B=#3,a=#2,b=#1,ä=#4')
  })

  it('reads own properties alone, whatever they are called', () => {
    expect(anyKey(Object.create(null, { a: { value: 1, enumerable: true } }) as object)).toBe('any:a=#1')
    expect(anyKey(JSON.parse('{"__proto__":{"a":1},"constructor":2}') as object)).toBe('any:__proto__=(a=#1),constructor=#2')
    expect(isCanonicalKey('any:__proto__=(a=#1),constructor=#2')).toBe(true)
  })
})

describe('what cannot be part of a key', () => {
  class Id {
    value = 1
  }
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic

  it.each([
    [Number.NaN, 'got NaN'],
    [Number.POSITIVE_INFINITY, 'got Infinity'],
    [() => 1, 'got a function'],
    [Symbol('x'), 'got a symbol'],
    [new Id(), 'got an instance of Id'],
    [new Map(), 'got an instance of Map'],
    [/x/, 'got an instance of RegExp'],
    [Buffer.from('x'), 'got an instance of Buffer'],
    [new String('x'), 'got an instance of String'],
    [new Date(Number.NaN), 'got an invalid Date'],
    [{ [Symbol('x')]: 1 }, 'got an object'],
    [[1, undefined], '"p\\[1\\]" cannot be part of a key; got undefined'],
    [Array(2), 'an array with holes'],
    [Object.assign([1], { extra: 2 }), 'an array with holes or properties'],
    [{ a: [{ b: Number.NaN }] }, '"p.a\\[0\\].b" cannot be part of a key; got NaN'],
    [cyclic, 'nested deeper than 16 levels'],
  ])('refuses %o', (value, problem) => {
    expect(() => anyKey({ p: value })).toThrow(invalid(`^Key "any": parameter .*${problem}`))
  })

  it.each([null, 'id', 5, [], new Map(), () => {}])('refuses %o in place of the parameters', params => {
    expect(() => anyKey(params as object)).toThrow(invalid('must be one plain object'))
  })
})

describe('the key of a tenant', () => {
  const userKey = defineKey<{ tenant: string; id: string }>('catalog:user', { tenant: true })

  it('puts the tenant first', () => {
    expect(userKey({ id: 'u_1', tenant: 'acme' })).toBe('catalog:user:@acme:id=u_1')
    expect(defineKey<{ tenant: string }>('settings', { tenant: true })({ tenant: 'acme' })).toBe('settings:@acme')
  })

  it('keeps tenants apart that try to look like one another', () => {
    expect(userKey({ tenant: 'acme:id=u_1', id: 'x' })).toBe('catalog:user:@acme%3Aid%3Du_1:id=x')
    expect(userKey({ tenant: '@acme', id: 'x' })).toBe('catalog:user:@%40acme:id=x')
  })

  it.each([undefined, '', null, 5, ['acme']])('refuses the tenant %o', tenant => {
    expect(() => userKey({ tenant, id: 'u_1' } as never)).toThrow(invalid('parameter "tenant" must be a text that is not empty'))
  })

  it('differs from the key of the same name that has tenant as a mere parameter', () => {
    const params = { tenant: 'acme', id: 'u_1' }
    expect(defineKey<typeof params>('catalog:user')(params)).not.toBe(userKey(params))
  })
})

describe('a long key', () => {
  const searchKey = defineKey<{ tenant: string; q: string }>('catalog:search', { tenant: true })
  const longQuery = 'q'.repeat(600)

  it('keeps name and tenant readable and hashes the rest', () => {
    const key = searchKey({ tenant: 'acme', q: longQuery })
    expect(key).toMatch(/^catalog:search:@acme:%h[A-Za-z0-9_-]{43}$/)
    expect(searchKey({ tenant: 'acme', q: longQuery })).toBe(key)
    expect(searchKey({ tenant: 'acme', q: `${longQuery}!` })).not.toBe(key)
    expect(isCanonicalKey(key)).toBe(true)
    expect(searchKey.pattern.test(key)).toBe(true)
  })

  it('is one of more bytes than the limit, in UTF-8', () => {
    const keyOf = defineKey<{ q: string }>('q', { maxBytes: 256 })
    const roomFor = 256 - 'q:q='.length
    expect(keyOf({ q: 'x'.repeat(roomFor) })).toHaveLength(256)
    expect(keyOf({ q: 'x'.repeat(roomFor + 1) })).toMatch(/^q:%h/)
    expect(keyOf({ q: 'é'.repeat(roomFor / 2) })).toMatch(/^q:q=é/)
    expect(keyOf({ q: 'é'.repeat(roomFor / 2 + 1) })).toMatch(/^q:%h/)
  })

  it('cannot be reached by parameters that spell a hash', () => {
    const hash = searchKey({ tenant: 'acme', q: longQuery }).split('%h')[1] ?? ''
    expect(searchKey({ tenant: 'acme', q: `%h${hash}` })).toBe(`catalog:search:@acme:q=%25h${hash}`)
  })

  it('keeps a tenant of 128 bytes readable, and no longer one', () => {
    const readable = searchKey({ tenant: 't'.repeat(128), q: 'x' })
    expect(readable).toBe(`catalog:search:@${'t'.repeat(128)}:q=x`)
    expect(isCanonicalKey(readable)).toBe(true)
    expect(searchKey({ tenant: 't'.repeat(129), q: 'x' })).toMatch(/^catalog:search:@%h/)
    expect(isCanonicalKey(`catalog:search:@${'t'.repeat(129)}:q=x`)).toBe(false)
  })

  it('hashes a long tenant by itself, so that the key stays within the limit', () => {
    const tenant = 't'.repeat(5000)
    const key = searchKey({ tenant, q: longQuery })
    expect(key).toMatch(/^catalog:search:@%h[A-Za-z0-9_-]{43}:%h[A-Za-z0-9_-]{43}$/)
    expect(searchKey({ tenant, q: 'x' })).toMatch(/^catalog:search:@%h[A-Za-z0-9_-]{43}:q=x$/)
    expect(isCanonicalKey(key)).toBe(true)
    const smallest = defineKey<{ tenant: string; q: string }>('n'.repeat(64), { tenant: true, maxBytes: 256 })
    for (const each of [tenant, '日'.repeat(42)]) {
      expect(Buffer.byteLength(smallest({ tenant: each, q: longQuery }))).toBeLessThanOrEqual(256)
    }
  })
})

describe('defineKey', () => {
  it.each(['user', 'catalog:user', 'a:b:c:d', 'a-1', 'order-lines', 'x'.repeat(64)])('takes the name %s', name => {
    const build = defineKey(name)
    expect([build.name, build(), isCanonicalKey(name)]).toEqual([name, name, true])
  })

  it.each([
    '',
    'User',
    'catalog:',
    ':user',
    'a::b',
    'a:b:c:d:e',
    '1a',
    '-a',
    'a_b',
    'user 1',
    'é',
    'user\n',
    'x'.repeat(65),
    5,
    null,
  ])('refuses the name %o', name => {
    expect(() => defineKey(name as string)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })

  it('refuses wrong options by name', () => {
    for (const maxBytes of [256, 4096]) expect(defineKey('a', { maxBytes })()).toBe('a')
    for (const maxBytes of [255, 4097, 256.5]) {
      expect(() => defineKey('a', { maxBytes })).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          option: 'maxBytes',
          message: expect.stringContaining('a whole number from 256 to 4096'),
        }),
      )
    }
    expect(() => defineKey('a', { tenant: 'acme' } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option: 'tenant', message: expect.stringContaining('true or false') }),
    )
    expect(() => defineKey('a', { max: 5 } as never)).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION', option: 'max' }))
  })

  it('gives a pattern that its own keys match and those of other names do not', () => {
    const build = defineKey<{ id: number }>('user')
    expect(build.pattern.test(build({ id: 1 }))).toBe(true)
    for (const key of ['user', 'user:id=#1,tags=[a,(b=c)]']) expect(build.pattern.test(key), key).toBe(true)
    for (const key of ['users:id=#1', 'user:@acme:id=#1', 'user:profile:id=#1', 'user:1', ' user', 'user\n']) {
      expect(build.pattern.test(key), key).toBe(false)
    }
    expect(defineKey<{ tenant: string }>('user', { tenant: true }).pattern.test('user')).toBe(false)
  })
})

describe('isCanonicalKey', () => {
  it.each(['user', 'catalog:user:id=u_1', 'a:@t', 'a:@t:x=~', 'a:x=[#1,(b=@2026-01-02T03:04:05.678Z)],y=!null'])(
    'takes %s',
    key => {
      expect([KEY_PATTERN.test(key), isCanonicalKey(key)]).toEqual([true, true])
    },
  )

  it.each([
    '',
    'User',
    'user:1',
    'user:',
    'user:@',
    'user:id=',
    'user:id=a b',
    'user:id=%3a',
    'user:id=\ud83d',
    'user:%h123',
    'user:id=1\n',
  ])('and the pattern refuse %j', key => {
    expect([KEY_PATTERN.test(key), isCanonicalKey(key)]).toEqual([false, false])
  })

  it.each([
    ['names out of order', 'user:b=1,a=2'],
    ['a name twice', 'user:a=1,a=2'],
    ['a needless escape', 'user:id=%41'],
    ['an escape of the wrong length', 'user:id=%u0020'],
    ['a number spelled otherwise', 'user:id=#01'],
    ['a number that is none', 'user:id=#x'],
    ['-0', 'user:id=#-0'],
    ['an unknown word', 'user:id=!yes'],
    ['a date spelled otherwise', 'user:id=@2026-01-02'],
    ['a date that is none', 'user:id=@2026-99-02T03:04:05.678Z'],
    ['an open bracket', 'user:id=[a'],
    ['a bracket too many', 'user:id=[a]]'],
    ['an empty item', 'user:id=[a,]'],
    ['an empty tenant', 'user:@~:id=a'],
    ['a needless escape in a tenant', 'user:@%41:id=a'],
    ['nesting beyond the limit', `user:id=${'['.repeat(17)}${']'.repeat(17)}`],
    ['a name too long', `${'x'.repeat(65)}:id=a`],
    ['nesting without end', `user:id=${'['.repeat(100_000)}`],
  ])('refuses %s', (_, key) => {
    expect(isCanonicalKey(key)).toBe(false)
  })
})

describe('nesting', () => {
  it('goes down to 16 levels', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'x' : [nested(levels - 1)])
    const keyOf = defineKey<{ id: string }>('deep') as (params: object) => string
    const key = keyOf({ id: nested(16) })
    expect(key).toBe(`deep:id=${'['.repeat(16)}x${']'.repeat(16)}`)
    expect(isCanonicalKey(key)).toBe(true)
    expect(() => keyOf({ id: nested(17) })).toThrow('nested deeper than 16 levels')
  })
})

describe('docs/keys.md', () => {
  it('shows the pattern as it is', () => {
    expect(readFileSync(new URL('../../docs/keys.md', import.meta.url), 'utf8')).toContain(`\n${KEY_PATTERN.source}\n`)
  })
})
