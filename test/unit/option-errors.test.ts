import { describe, expect, it } from 'vitest'
import { describeValue } from '../../src/core/describe-value.ts'
import { unknownOption } from '../../src/core/options/invalid-option.ts'
import type { CacheOptions, CallOptions } from '../../src/core/options/options.ts'
import { resolveCacheOptions, resolveCallOptions } from '../../src/core/options/resolve-options.ts'

const codec = { name: 'mine', serialize: () => Buffer.alloc(0), deserialize: () => null }
const compression = { name: 'mine', compress: () => Buffer.alloc(0), decompress: () => Buffer.alloc(0) }
const namespace = 'shop'

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as Error).message
  }
  return 'no error'
}

/** The option, the value and what is allowed: all that is needed to put it right. */
const wrongForCache: readonly (readonly [options: unknown, message: string])[] = [
  [null, 'Option "options" must be an object with at least a namespace; got null'],
  [{}, 'Option "namespace" must be '],
  [{ namespace: 'a:b' }, 'got "a:b"'],
  [{ namespace, store: 'redis://x' }, 'Option "store" must be '],
  [{ namespace, store: { open() {} } }, 'Option "store" must be '],
  [{ namespace, codec: 'xml' }, 'Option "codec" must be '],
  [{ namespace, codec: { ...codec, id: 127 } }, 'Option "codec" must be '],
  [{ namespace, codec: { ...codec, id: 256 } }, 'Option "codec" must be '],
  [{ namespace, codec: { ...codec, name: '', id: 130 } }, 'Option "codec" must be '],
  [{ namespace, compression: 'zip' }, 'Option "compression" must be '],
  [{ namespace, compression: { ...compression, id: 2 } }, 'Option "compression" must be '],
  [{ namespace, compression: { ...compression, name: 'lz4', id: 3 } }, 'Option "compression" must be '],
  [
    { namespace, storeBudget: 100, commandTimeout: '1s' },
    'Option "commandTimeout" must be at most storeBudget, which is 100ms; got "1s"',
  ],
  [{ namespace, timeout: 5 }, 'Option "timeout" must be '],
  [
    { namespace, timeout: { soft: '2s', hard: '1s' } },
    'Option "timeout.soft" must be at most timeout.hard, which is 1s; got "2s"',
  ],
  [{ namespace, timeout: { softly: 1 } }, 'Unknown option "timeout.softly"; did you mean "timeout.soft"?'],
  [{ namespace, refresh: true }, 'Option "refresh" must be '],
  [{ namespace, refresh: { strategy: 'always' } }, 'Option "refresh.strategy" must be \'xfetch\' or \'window\'; got "always"'],
  [{ namespace, refresh: { strategy: 'xfetch', betta: 1 } }, 'Unknown option "refresh.betta"; did you mean "refresh.beta"?'],
  [{ namespace, signal: {} }, 'Unknown option "signal"'],
]

describe('a wrong option of createCache', () => {
  it.each(wrongForCache)('%o is answered by its name, the value and what is allowed', (options, message) => {
    expect(messageOf(() => resolveCacheOptions(options as CacheOptions))).toContain(message)
  })

  it('is none at the very limits', () => {
    for (const id of [128, 255]) {
      expect(() => resolveCacheOptions({ namespace, codec: { ...codec, id } })).not.toThrow()
      expect(() => resolveCacheOptions({ namespace, compression: { ...compression, id } })).not.toThrow()
    }
    for (const name of ['msgpack', 'json'] as const)
      expect(resolveCacheOptions({ namespace, codec: name }).codec.codec).toBe(name)
    expect(resolveCacheOptions({ namespace, compression: false }).codec.compression).toBe(false)
    expect(resolveCacheOptions({ namespace, compression: 'deflate' }).codec.compression).toBe('deflate')
    expect(() => resolveCacheOptions({ namespace, timeout: { soft: '1s', hard: '1s' } })).not.toThrow()
    expect(() => resolveCacheOptions({ namespace, storeBudget: 100, commandTimeout: 100 })).not.toThrow()
  })
})

describe('a wrong option of a call', () => {
  const { policy } = resolveCacheOptions({ namespace, timeout: { soft: '2s', hard: '5s' } }).engine
  const listening = { addEventListener() {}, removeEventListener() {} }

  it.each<readonly [unknown, string]>([
    ['1m', 'Option "options" must be an object; got "1m"'],
    [{ signal: listening }, 'Option "signal" must be '],
    [{ signal: { aborted: false } }, 'Option "signal" must be '],
    [{ signal: null }, 'Option "signal" must be '],
    [{ timeout: { hard: '1s' } }, 'Option "timeout.hard" must be at least timeout.soft, which is 2s; got "1s"'],
    [{ namespace }, 'Unknown option "namespace"'],
  ])('%o is answered alike', (options, message) => {
    expect(messageOf(() => resolveCallOptions(policy, options as CallOptions))).toContain(message)
  })
})

describe('the advice for a name that is not known', () => {
  const known = ['ttl', 'jitter', 'staleIfError', 'staleWhileRevalidate', 'timeout', 'lease', 'version', 'commandTimeout']
  const advice = (name: string): string => unknownOption(name, known).message.split('; ')[1] ?? ''

  it.each([
    ['ttls', 'did you mean "ttl"?'],
    ['TTL', 'did you mean "ttl"?'],
    ['jiter', 'did you mean "jitter"?'],
    ['leese', 'did you mean "lease"?'],
    ['stale', 'did you mean "staleIfError" or "staleWhileRevalidate"?'],
    ['staleIfErorrs', 'did you mean "staleIfError"?'],
    ['timeouts', 'did you mean "timeout"?'],
    ['timout', 'did you mean "timeout"?'],
    ['zzzzzzzz', `allowed: ${known.join(', ')}`],
  ])('%s: %s', (name, expected) => {
    expect(advice(name)).toBe(expected)
  })

  it('is bounded for a name of any length', () => {
    expect(unknownOption('x'.repeat(10_000), known).message.length).toBeLessThan(300)
  })
})

describe('a value in a message', () => {
  class Money {
    readonly amount = 1
  }
  const nameless = new (class {
    readonly amount = 1
  })()
  it.each<readonly [unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    [-0, '-0'],
    [0, '0'],
    [12n, '12n'],
    ['a\n"b', '"a\\n\\"b"'],
    ['x'.repeat(64), `"${'x'.repeat(64)}"`],
    ['x'.repeat(65), `"${'x'.repeat(64)}…"`],
    [() => 1, 'a function'],
    [Symbol('secret'), 'a symbol'],
    [[1], 'an array'],
    [{ password: 'x' }, 'an object'],
    [Object.create(null), 'an object'],
    [Object.create({}), 'an instance of Object'],
    [Object.create(Object.create(null) as object), 'an object'],
    [Object.create({ constructor: { name: 7 } }), 'an object'],
    [new Money(), 'an instance of Money'],
    [nameless, 'an object'],
  ])('%o is shown short, without the contents of objects: %s', (value, shown) => {
    expect(describeValue(value)).toBe(shown)
  })
})
