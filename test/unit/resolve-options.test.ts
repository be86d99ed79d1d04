import { describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/core/clock.ts'
import { cacheOptionNames, keyOptionNames, optionTable, setOptionNames } from '../../src/core/options/option-table.ts'
import type { CallOptions, Policy } from '../../src/core/options/options.ts'
import { resolveCacheOptions, resolveCallOptions } from '../../src/core/options/resolve-options.ts'

const cacheOf = (options: object) => resolveCacheOptions({ namespace: 'shop', ...options })
const base = cacheOf({}).engine.policy
const callOf = (options: unknown, over: Policy = base, allowed?: ReadonlySet<string>) =>
  resolveCallOptions(over, options as CallOptions, allowed)
const invalid = (option: string) => expect.objectContaining({ name: 'LeaseholdError', code: 'INVALID_OPTION', option })
const unknown = (option: string) => expect.objectContaining({ name: 'LeaseholdError', code: 'UNKNOWN_OPTION', option })

describe('resolveCacheOptions', () => {
  it('fills in every default', () => {
    expect(cacheOf({})).toEqual({
      engine: {
        namespace: 'shop',
        policy: {
          ttlMs: 300_000,
          jitter: 0.1,
          refresh: { strategy: 'xfetch', beta: 1 },
          staleWhileRevalidateMs: 0,
          staleIfErrorMs: 0,
          softTimeoutMs: undefined,
          hardTimeoutMs: 30_000,
          errorCooldownMs: 0,
          leaseMs: 1000,
          version: 0,
          tags: [],
          forceFresh: false,
          signal: undefined,
        },
        commandTimeoutMs: 100,
        storeBudgetMs: 250,
        outageTtlMs: 1000,
        maxConcurrentLoads: 256,
        rollout: 1,
        enabled: undefined,
        shadow: 0,
        maxRefreshes: 16,
        maxKeyBytes: 512,
        closeTimeoutMs: 5000,
        local: { mode: 'off', maxEntries: 10_000, maxBytes: 67_108_864, ttlMs: 60_000 },
      },
      codec: {
        namespace: 'shop',
        values: 'copy',
        codec: 'msgpack',
        compression: 'deflate',
        compressAbove: 16_384,
        headersAlone: false,
        maxValueBytes: 1_048_576,
      },
      store: undefined,
      clock: systemClock,
      random: systemRandom,
    })
  })

  it('takes what is given', () => {
    const store = { kind: 'test', open: () => Promise.reject(new Error('not opened')) as never }
    const codec = { name: 'mine', id: 128, serialize: () => Buffer.alloc(0), deserialize: () => null }
    const lz4 = { name: 'lz4', id: 2, compress: () => Buffer.alloc(0), decompress: () => Buffer.alloc(0) }
    const resolved = cacheOf({
      store,
      codec,
      compression: lz4,
      values: 'freeze',
      ttl: '1h',
      jitter: 0,
      refresh: false,
      staleWhileRevalidate: '10s',
      staleIfError: '6h',
      timeout: { soft: 200, hard: '2s' },
      errorCooldown: '1s',
      lease: '2s',
      version: 3,
      tags: ['a', 'b', 'a'],
      compressAbove: 0,
      maxValueBytes: 2048,
      maxKeyBytes: 64,
      commandTimeout: 50,
      storeBudget: 120,
      maxRefreshes: 1,
      closeTimeout: 0,
      clock: systemClock,
      random: systemRandom,
    })
    expect(resolved.store).toBe(store)
    expect(resolved.codec).toMatchObject({ codec, compression: lz4, values: 'freeze', compressAbove: 0, maxValueBytes: 2048 })
    expect(resolved.engine).toMatchObject({
      commandTimeoutMs: 50,
      storeBudgetMs: 120,
      maxRefreshes: 1,
      maxKeyBytes: 64,
      closeTimeoutMs: 0,
    })
    expect(resolved.engine.policy).toEqual({
      ttlMs: 3_600_000,
      jitter: 0,
      refresh: { strategy: 'off' },
      staleWhileRevalidateMs: 10_000,
      staleIfErrorMs: 21_600_000,
      softTimeoutMs: 200,
      hardTimeoutMs: 2000,
      errorCooldownMs: 1000,
      leaseMs: 2000,
      version: 3,
      tags: ['a', 'b'],
      forceFresh: false,
      signal: undefined,
    })
  })

  it('reads an undefined option as one not given', () => {
    const everything = Object.fromEntries(
      [...cacheOptionNames].filter(name => name !== 'namespace').map(name => [name, undefined]),
    )
    expect(cacheOf(everything)).toEqual(cacheOf({}))
  })

  it.each(['', 'a b', 'shop:eu', 'shop\n', 'é', 'x'.repeat(65), 5, null, undefined])('refuses the namespace %j', namespace => {
    expect(() => cacheOf({ namespace })).toThrow(invalid('namespace'))
  })

  it.each(['a', 'Shop_2.eu-west', 'x'.repeat(64)])('takes the namespace %j', namespace => {
    expect(cacheOf({ namespace }).engine.namespace).toBe(namespace)
    expect(cacheOf({ namespace }).codec.namespace).toBe(namespace)
  })

  it.each([undefined, null, 'shop', 5, []])('refuses %j in place of the options', options => {
    expect(() => resolveCacheOptions(options as never)).toThrow(invalid('options'))
  })

  it.each<[string, unknown[]]>([
    ['ttl', [0, -1, '0s', 'soon', '3651d', true]],
    ['jitter', [-0.1, 0.51, '0.1', Number.NaN]],
    ['staleWhileRevalidate', [-1, null]],
    ['staleIfError', [-1, '1y']],
    ['refresh', [true, 'off', 'window', null, 5]],
    ['refresh.strategy', [{}, { strategy: 'often' }]],
    [
      'refresh.beta',
      [
        { strategy: 'xfetch', beta: -1 },
        { strategy: 'xfetch', beta: '1' },
      ],
    ],
    ['refresh.window', [{ strategy: 'window', probability: 0.5 }]],
    [
      'refresh.probability',
      [
        { strategy: 'window', window: '10s' },
        { strategy: 'window', window: 5, probability: 1.1 },
      ],
    ],
    ['timeout', [500, '1s', null]],
    ['timeout.soft', [{ soft: 0 }, { soft: '2s', hard: '1s' }, { soft: '31s' }]],
    ['timeout.hard', [{ hard: 0 }, { hard: '2d' }]],
    ['errorCooldown', [-1, true]],
    ['lease', [99, '61s']],
    ['version', [-1, 1.5, 65_536, '1']],
    ['values', ['clone', true]],
    [
      'codec',
      ['cbor', {}, { name: 'mine', id: 127, serialize() {}, deserialize() {} }, { id: 200, serialize() {}, deserialize() {} }],
    ],
    ['compression', [true, 'lz4', { name: 'zip', id: 2, compress() {}, decompress() {} }]],
    ['compressAbove', [-1, 0.5, '1kb']],
    ['maxValueBytes', [0, 1e12]],
    ['maxKeyBytes', [63, 4097]],
    ['commandTimeout', [0, '61s']],
    ['storeBudget', [0]],
    ['maxRefreshes', [0, 1.5]],
    ['closeTimeout', [-1, '2h']],
    ['store', ['redis://localhost', {}, { open() {} }]],
    ['clock', [Date, {}]],
    ['random', [Math.random, {}]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values) {
      expect(() => cacheOf({ [option.split('.')[0] ?? '']: value }), String(value)).toThrow(invalid(option))
    }
  })

  it('says in the error what was given and what is allowed', () => {
    expect(() => cacheOf({ jitter: 2 })).toThrow('Option "jitter" must be a number from 0 to 0.5; got 2')
    expect(() => cacheOf({ lease: '5 minutes' })).toThrow(
      'Option "lease" must be a duration from 100ms to 1m (ms, or text such as "30s"); got "5 minutes"',
    )
    expect(() => cacheOf({ timeout: { soft: '40s' } })).toThrow(
      '"timeout.soft" must be at most timeout.hard, which is 30s; got "40s"',
    )
  })

  it('never shows what is inside an object', () => {
    expect(() => cacheOf({ store: { url: 'redis://user:secret@host' } })).toThrow(/got an object$/)
  })

  it.each([
    ['ttlMs', 'ttl'],
    ['TTL', 'ttl'],
    ['staleIfErr', 'staleIfError'],
    ['jiter', 'jitter'],
    ['compressabove', 'compressAbove'],
  ])('names the nearest option for %s', (wrong, right) => {
    expect(() => cacheOf({ [wrong]: 1 })).toThrow(unknown(wrong))
    expect(() => cacheOf({ [wrong]: 1 })).toThrow(`did you mean "${right}"`)
  })

  it('lists the options when none is near', () => {
    expect(() => cacheOf({ xyzzyplugh: 1 })).toThrow(/Unknown option "xyzzyplugh"; allowed: namespace, store, ttl, /)
  })

  it.each(['forceFresh', 'signal'])('refuses %s, which belongs to a call', option => {
    expect(() => cacheOf({ [option]: undefined })).toThrow(unknown(option))
  })

  it('refuses unknown names inside timeout and refresh', () => {
    expect(() => cacheOf({ timeout: { sotf: 5 } })).toThrow(unknown('timeout.sotf'))
    expect(() => cacheOf({ refresh: { strategy: 'xfetch', window: 5 } })).toThrow(unknown('refresh.window'))
    expect(() => cacheOf({ refresh: { strategy: 'window', beta: 5 } })).toThrow(unknown('refresh.beta'))
  })

  it('lets a longer command timeout raise the budget, and a shorter budget lower the command timeout', () => {
    expect(cacheOf({ commandTimeout: '1s' }).engine).toMatchObject({ commandTimeoutMs: 1000, storeBudgetMs: 2500 })
    expect(cacheOf({ storeBudget: 40 }).engine).toMatchObject({ commandTimeoutMs: 40, storeBudgetMs: 40 })
    expect(() => cacheOf({ commandTimeout: 100, storeBudget: 99 })).toThrow(invalid('commandTimeout'))
  })
})

describe('resolveCallOptions', () => {
  it('returns the base itself without options', () => {
    expect(resolveCallOptions(base, undefined)).toBe(base)
  })

  it('overrides only what is given and leaves the base as it was', () => {
    const before = structuredClone({ ...base })
    expect(callOf({ ttl: '10s', version: 2 })).toEqual({ ...base, ttlMs: 10_000, version: 2 })
    expect(base).toEqual(before)
  })

  it('takes a ttl below a second as milliseconds', () => {
    expect(callOf({ ttl: 60 }).ttlMs).toBe(60)
  })

  it('reads an undefined option as one not given', () => {
    expect(callOf({ ttl: undefined, timeout: undefined, signal: undefined })).toEqual(base)
  })

  it('merges timeouts one by one', () => {
    const withSoft = callOf({ timeout: { soft: 100, hard: 500 } })
    expect(callOf({ timeout: { hard: '1s' } }, withSoft)).toMatchObject({ softTimeoutMs: 100, hardTimeoutMs: 1000 })
  })

  it('names the timeout that the call gave when the two do not fit', () => {
    const withSoft = callOf({ timeout: { soft: 100 } })
    expect(() => callOf({ timeout: { hard: 99 } }, withSoft)).toThrow(invalid('timeout.hard'))
    expect(() => callOf({ timeout: { soft: '1h' } })).toThrow(invalid('timeout.soft'))
  })

  it('takes a signal and forceFresh', () => {
    const { signal } = new AbortController()
    expect(callOf({ signal, forceFresh: true })).toMatchObject({ signal, forceFresh: true })
    expect(() => callOf({ signal: { aborted: false } })).toThrow(invalid('signal'))
    expect(() => callOf({ forceFresh: 1 })).toThrow(invalid('forceFresh'))
  })

  it.each([null, 5, '5m', [], () => 5])('refuses %o in place of the options', options => {
    expect(() => callOf(options)).toThrow(invalid('options'))
  })

  it('refuses the options of createCache and unknown ones', () => {
    expect(() => callOf({ namespace: 'x' })).toThrow(unknown('namespace'))
    expect(() => callOf({ tll: 5 })).toThrow('did you mean "ttl"')
  })

  it('refuses what the kind of call does not take', () => {
    expect(callOf({ ttl: 5, version: 1 }, base, setOptionNames)).toMatchObject({ ttlMs: 5, version: 1 })
    expect(() => callOf({ refresh: false }, base, setOptionNames)).toThrow(unknown('refresh'))
    expect(callOf({ version: 1 }, base, keyOptionNames)).toMatchObject({ version: 1 })
    expect(() => callOf({ ttl: 5 }, base, keyOptionNames)).toThrow('Unknown option "ttl"; allowed: version')
  })
})

describe('optionTable', () => {
  it('has one row per option of a place, each saying what is allowed', () => {
    const options = optionTable.flatMap(({ name, places }) => places.map(place => `${place} ${name}`))
    expect(new Set(options).size).toBe(options.length)
    for (const row of optionTable)
      expect(row, row.name).toMatchObject({ allowed: expect.stringMatching(/\S/), places: expect.any(Array) })
  })

  it('states the defaults that resolving gives', () => {
    const given = Object.fromEntries(
      optionTable
        .filter(
          row => row.places.includes('cache') && /^(\d+(\.\d+)?|\d+(ms|s|m|h|d))$/.test(row.default) && !row.name.includes('.'),
        )
        .map(row => [row.name, /^[\d.]+$/.test(row.default) ? Number(row.default) : row.default]),
    )
    expect(Object.keys(given).length).toBeGreaterThan(10)
    expect(cacheOf(given)).toEqual(cacheOf({}))
  })
})
