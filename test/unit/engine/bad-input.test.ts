import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import type { Cache } from '../../../src/core/cache.ts'
import { isLeaseholdError } from '../../../src/core/errors.ts'
import { openFleet } from './stage.ts'

type Call = (cache: Cache, key: string, options?: object) => Promise<unknown>

const load = (): string => 'v'
const calls: readonly [string, Call][] = [
  ['getOrSet', (cache, key, options) => cache.getOrSet(key, load, options)],
  ['get', (cache, key, options) => cache.get(key, options)],
  ['getEntry', (cache, key, options) => cache.getEntry(key, options)],
  ['has', (cache, key, options) => cache.has(key, options)],
  ['set', (cache, key, options) => cache.set(key, 'v', options)],
  ['delete', (cache, key, options) => cache.delete(key, options)],
  ['expire', (cache, key, options) => cache.expire(key, options)],
]

describe.each(calls)('%s', (name, call) => {
  it.each(['', undefined, null, 7, {}, Symbol('k')])('refuses %o as a key, by a rejection and not a throw', async key => {
    const { a, store } = openFleet()
    const got = key === '' ? 'an empty one' : typeof key
    const message = `a key must be a non-empty string, not ${got}`
    await expect(call(a, key as string)).rejects.toMatchObject({ code: 'INVALID_KEY', message })
    expect(store.calls).toEqual([])
  })

  it('refuses an option it does not know, and names it', async () => {
    const { a, store } = openFleet()
    await expect(call(a, 'k', { timeToLive: 5 })).rejects.toMatchObject({ code: 'UNKNOWN_OPTION', option: 'timeToLive' })
    expect(store.calls).toEqual([])
  })

  it.each([5, 'text', [], null])('refuses %o for its options', async options => {
    const { a } = openFleet()
    await expect(call(a, 'k', options as object)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  it('refuses a wrong version', async () => {
    const { a } = openFleet()
    for (const version of [-1, 1.5, 65_536, '1']) {
      await expect(call(a, 'k', { version })).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'version' })
    }
  })

  it('is refused once the cache is closed', async () => {
    const { a, store } = openFleet()
    await a.close()
    await expect(call(a, 'k')).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
    expect(store.calls, name).toEqual([])
  })
})

describe('setMany', () => {
  it.each([5, 'abc', { a: 1 }, undefined, null, ['ab'], [['k', 1], 5]])('refuses %o for its pairs', async entries => {
    const { a, store } = openFleet()
    await expect(a.setMany(entries as never)).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'entries' })
    expect(store.calls).toEqual([])
  })
})

describe('peek', () => {
  it('is refused once the cache is closed', async () => {
    const { a } = openFleet()
    await a.close()
    expect(() => a.peek('k')).toThrow(expect.objectContaining({ code: 'CACHE_CLOSED' }) as Error)
  })

  it.each(['', 5, undefined, null, {}])('refuses %o as a key, by a throw: it answers at once', key => {
    const { a } = openFleet()
    expect(() => a.peek(key as never)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }) as Error)
  })

  it('refuses options that are none', () => {
    const { a } = openFleet()
    expect(() => a.peek('k', { version: -1 })).toThrow(expect.objectContaining({ option: 'version' }) as Error)
    expect(() => a.peek('k', { ttl: 5 } as never)).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }) as Error)
  })
})

describe('getOrSet', () => {
  it.each([undefined, null, 'loader', {}, Promise.resolve('v')])('refuses %o as a loader', async loader => {
    const { a, store } = openFleet()
    await expect(a.getOrSet('k', loader as never)).rejects.toMatchObject({ code: 'INVALID_LOADER', key: 'k' })
    expect(store.calls).toEqual([])
  })

  it.each([
    [{ ttl: 0 }, 'ttl'],
    [{ ttl: -5 }, 'ttl'],
    [{ ttl: '5 minutes' }, 'ttl'],
    [{ ttl: Number.NaN }, 'ttl'],
    [{ ttl: Infinity }, 'ttl'],
    [{ jitter: -0.1 }, 'jitter'],
    [{ jitter: 0.6 }, 'jitter'],
    [{ staleIfError: -1 }, 'staleIfError'],
    [{ staleWhileRevalidate: 'soon' }, 'staleWhileRevalidate'],
    [{ refresh: 'always' }, 'refresh'],
    [{ refresh: { strategy: 'xfetch', beta: -1 } }, 'refresh.beta'],
    [{ refresh: { strategy: 'window', window: '1s' } }, 'refresh.probability'],
    [{ refresh: { strategy: 'window', window: '1s', probability: 2 } }, 'refresh.probability'],
    [{ timeout: '1s' }, 'timeout'],
    [{ timeout: { soft: '2s', hard: '1s' } }, 'timeout.soft'],
    [{ timeout: { hard: 0 } }, 'timeout.hard'],
    [{ errorCooldown: -1 }, 'errorCooldown'],
    [{ lease: 5 }, 'lease'],
    [{ forceFresh: 'yes' }, 'forceFresh'],
    [{ signal: {} }, 'signal'],
  ])('refuses %o and names %s', async (options, option) => {
    const { a, store } = openFleet()
    const error: unknown = await a.getOrSet('k', load, options as never).catch((reason: unknown) => reason)
    expect(isLeaseholdError(error, 'INVALID_OPTION')).toBe(true)
    expect(error).toMatchObject({ option })
    expect((error as Error).message).toContain(option)
    expect(store.calls).toEqual([])
  })

  it('takes an option that is undefined as not given', async () => {
    const { a, until } = openFleet()
    expect(await until(a.getOrSet('k', load, { ttl: undefined, signal: undefined } as never))).toBe('v')
  })
})

describe('calls that only name a key', () => {
  it('refuse the options of getOrSet', async () => {
    const { a } = openFleet()
    for (const [name, call] of calls.filter(([of]) => !['getOrSet', 'set'].includes(of))) {
      await expect(call(a, 'k', { ttl: '1m' }), name).rejects.toMatchObject({ code: 'UNKNOWN_OPTION', option: 'ttl' })
    }
    await expect(a.set('k', 'v', { forceFresh: true } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' })
  })
})

describe('createCache', () => {
  it.each([
    [{}, 'INVALID_OPTION', 'namespace'],
    [{ namespace: 'a:b' }, 'INVALID_OPTION', 'namespace'],
    [{ namespace: 'n', ttl: '1 hour' }, 'INVALID_OPTION', 'ttl'],
    [{ namespace: 'n', jitter: -1 }, 'INVALID_OPTION', 'jitter'],
    [{ namespace: 'n', store: 'redis://' }, 'INVALID_OPTION', 'store'],
    [{ namespace: 'n', forceFresh: true }, 'UNKNOWN_OPTION', 'forceFresh'],
    [{ namespace: 'n', tll: 5 }, 'UNKNOWN_OPTION', 'tll'],
  ])('throws at once for %o', (options, code, option) => {
    expect(() => createCache(options as never)).toThrow(expect.objectContaining({ code, option }))
  })
})
