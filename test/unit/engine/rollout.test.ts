import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Rollout } from '../../../src/core/rollout/rollout.ts'
import { openFleet, track, watch } from './stage.ts'

describe('the share of keys that go through the cache', () => {
  it('is the one asked for, and grows by adding keys, never by exchanging them', () => {
    const keys = Array.from({ length: 20_000 }, (_, key) => `user:${key}`)
    const taken = (share: number): string[] => keys.filter(key => new Rollout(share, 'shop', undefined).takes(key))
    for (const share of [0.05, 0.5, 0.95]) expect(Math.abs(taken(share).length / keys.length - share)).toBeLessThan(0.015)
    const half = new Set(taken(0.5))
    expect(taken(0.05).every(key => half.has(key))).toBe(true)
    expect(taken(0)).toEqual([])
    expect(taken(1)).toHaveLength(keys.length)
  })
})

describe('a switch', () => {
  it.each<[what: string, enabled: () => unknown, warning: string]>([
    [
      'throws',
      () => {
        throw new Error('boom')
      },
      'the option enabled threw: Error: boom: the cache stays on',
    ],
    ['is async', async () => false, 'must return true or false; it returned an instance of Promise'],
    ['is async and rejects', () => Promise.reject(new Error('boom')), 'it returned an instance of Promise'],
    ['forgets to answer', () => undefined, 'it returned undefined'],
  ])('that %s leaves the cache on, with one warning', (_, enabled, warning) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const rollout = new Rollout(1, 'shop', enabled as () => boolean)
    expect([rollout.takes('k'), rollout.takes('k')]).toEqual([true, true])
    expect(warn.mock.calls).toEqual([[expect.stringContaining(warning), 'LeaseholdWarning']])
  })
})

describe('a key that does not go through the cache', () => {
  it('is loaded by each call and neither read nor stored', async () => {
    const { a, source, store, until } = openFleet({ rollout: 0 })
    const records = watch(a, 'miss', 'load')
    const calls = await until(Promise.all([1, 2].map(() => a.getOrSet('k', source.takes(10)))))
    expect(calls).toEqual(['load 1', 'load 2'])
    expect(store.calls).toEqual([])
    expect(records.filter(({ event }) => event === 'miss')).toMatchObject([{ outcome: 'bypassed' }, { outcome: 'bypassed' }])
    expect(await until(a.get('k'))).toBeUndefined()
    expect(await until(a.has('k'))).toBe(false)
    expect(store.calls).toEqual([])
  })

  it('is loaded under the same timeouts and signals, without stale stand-ins', async () => {
    let on = true
    const { a, clock, source, store, until } = openFleet({ enabled: () => on, timeout: { hard: '1s' }, staleIfError: '1h' })
    await until(a.set('k', 'stored', { ttl: '1s' }))
    on = false
    await clock.advance(2_000)
    await expect(until(a.getOrSet('k', source.hangs()))).rejects.toMatchObject({ code: 'LOAD_TIMEOUT' })
    await expect(until(a.getOrSet('k', source.fails(1)))).rejects.toThrow('the source is down')
    const leaving = new AbortController()
    const left = track(clock, a.getOrSet('k', source.hangs(), { signal: leaving.signal }))
    await clock.settle()
    leaving.abort('left')
    await clock.settle()
    expect(left.error).toBe('left')
    expect(store.count('read')).toBe(0)
  })

  it('is still invalidated, so that it can go through the cache again', async () => {
    let on = true
    const { a, source, until } = openFleet({ enabled: () => on })
    await until(a.getOrSet('k', source.takes(1)))
    on = false
    expect(await until(a.delete('k'))).toBe('applied')
    on = true
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 2')
  })

  it('is asked for among many', async () => {
    let on = false
    const { a, store, until } = openFleet({ enabled: () => on })
    const load = (keys: readonly string[]): string[] => keys.map(key => `of ${key}`)
    expect(await until(a.getOrSetMany(['k1', 'k2'], load))).toEqual(['of k1', 'of k2'])
    expect(store.calls).toEqual([])
    on = true
    await until(a.getOrSetMany(['k1', 'k2'], load))
    on = false
    expect(await until(a.getMany(['k1', 'k2']))).toEqual([undefined, undefined])
  })
})

describe('shadow comparisons', () => {
  it('tell whether what the store answered is what the source has, and change nothing', async () => {
    const { a, clock, store, until } = openFleet({ shadow: 1 })
    const records = watch(a, 'shadow')
    let source: unknown = { name: 'a', tags: [1, 2] }
    const ask = async (): Promise<unknown> => {
      const value = await until(a.getOrSet('k', () => source))
      await clock.advance(10)
      return value
    }
    await ask()
    await ask()
    source = { name: 'b', tags: [1, 2] }
    const before = store.count('commit')
    expect(await ask()).toEqual({ name: 'a', tags: [1, 2] })
    source = undefined
    await ask()
    expect(records.map(({ outcome }) => outcome)).toEqual(['same', 'different', 'different'])
    expect(records[1]).toMatchObject({ key: 'k', ageMs: 20 })
    expect(store.count('commit')).toBe(before)
  })

  it('do not take a value that was replaced meanwhile for different', async () => {
    const { a, clock, source, until } = openFleet({ shadow: 1 })
    const records = watch(a, 'shadow')
    await until(a.set('k', 'old'))
    expect(await until(a.getOrSet('k', source.takes(100)))).toBe('old')
    await clock.advance(50)
    await until(a.delete('k'))
    await clock.advance(100)
    expect(records).toMatchObject([{ outcome: 'superseded' }])
  })

  it('say when the source failed', async () => {
    const { a, clock, source, until } = openFleet({ shadow: 1 })
    const records = watch(a, 'shadow')
    await until(a.set('k', 'v'))
    await until(a.getOrSet('k', source.fails(1)))
    await clock.advance(10)
    expect(records).toMatchObject([{ outcome: 'failed' }])
  })

  it('are made for a sample, and four at once at most', async () => {
    const { a, clock, source, until } = openFleet({ shadow: 1 })
    await until(a.set('k', 'v'))
    await until(Promise.all(Array.from({ length: 10 }, () => a.getOrSet('k', source.takes(100)))))
    await clock.advance(50)
    expect(source.running).toBe(4)
    const few = openFleet({ shadow: 0.1 })
    await few.until(few.a.set('k', 'v'))
    for (let call = 0; call < 200; call++) {
      await few.until(few.a.getOrSet('k', few.source.takes(0)))
      await few.clock.advance(1)
    }
    expect(few.source.loads).toBeGreaterThan(5)
    expect(few.source.loads).toBeLessThan(50)
  })
})
