import { describe, expect, it } from 'vitest'
import { slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, watch } from './stage.ts'

describe('a value is computed once', () => {
  it('for many callers of one process that miss together', async () => {
    const { a, source, until } = openFleet()
    const answers = await until(Promise.all(Array.from({ length: 50 }, () => a.getOrSet('k', source.takes(200)))))
    expect(new Set(answers)).toEqual(new Set(['load 1']))
    expect(source.loads).toBe(1)
  })

  it('for many callers of many processes that miss together', async () => {
    const { caches, source, until } = openFleet()
    const callers = caches.flatMap(cache => Array.from({ length: 50 }, () => cache.getOrSet('k', source.takes(200))))
    expect(new Set(await until(Promise.all(callers)))).toEqual(new Set(['load 1']))
    expect(source.loads).toBe(1)
  })

  it('for callers that come at any moment of the load, in any process', async () => {
    const { caches, clock, source, until } = openFleet({}, () => slow(1, 1))
    const callers: Promise<string>[] = []
    for (let ms = 0; ms < 320; ms++) {
      callers.push(caches[ms % 3]!.getOrSet('k', source.takes(300)))
      await clock.advance(1)
    }
    expect(new Set(await until(Promise.all(callers)))).toEqual(new Set(['load 1']))
    expect(source.loads).toBe(1)
  })

  it('even when the load takes many leases', async () => {
    const { a, b, source, until } = openFleet({ lease: '1s' })
    const answers = await until(Promise.all([a, b].map(cache => cache.getOrSet('k', source.takes(20_000)))))
    expect(answers).toEqual(['load 1', 'load 1'])
    expect(source.loads).toBe(1)
  })

  it('even when the load takes many leases and every store command takes a while', async () => {
    const { a, b, source, until } = openFleet({ lease: '1s' }, () => slow(5, 5))
    const answers = await until(Promise.all([a, b].map(cache => cache.getOrSet('k', source.takes(28_000)))))
    expect(answers).toEqual(['load 1', 'load 1'])
    expect(source.loads).toBe(1)
  })

  it('under any command timeout and store budget', async () => {
    for (const options of [{ commandTimeout: '250ms' }, { commandTimeout: '2s' }, { storeBudget: '20ms' }] as const) {
      const { a, b, source, until } = openFleet(options, () => slow(1, 1))
      await until(a.getOrSet('k', source.takes(10)))
      expect(await until(b.getOrSet('k', source.takes(10))), JSON.stringify(options)).toBe('load 1')
    }
  })

  it('apart from values under other keys, versions and namespaces', async () => {
    const { a, source, until } = openFleet()
    await until(
      Promise.all([
        a.getOrSet('k', source.takes(10)),
        a.getOrSet('other', source.takes(10)),
        a.getOrSet('k', source.takes(10), { version: 1 }),
      ]),
    )
    expect(source.loads).toBe(3)
  })

  it('and read from the store from then on, until it is no longer fresh', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: '10s' })
    await until(a.getOrSet('k', source.takes(10)))
    await clock.advance(9_999)
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 1')
    await clock.advance(1)
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 2')
  })

  it('also when another process stored it between the read and the request for the lease', async () => {
    const { a, b, source, store, until } = openFleet()
    const records = watch(b, 'miss', 'load')
    store.script = ({ command, client }) => (command === 'acquire' && client === 1 ? slow(50) : undefined)
    const answers = await until(Promise.all([b.getOrSet('k', source.takes(10)), a.getOrSet('k', source.takes(10))]))
    expect(answers).toEqual(['load 1', 'load 1'])
    expect(records).toEqual([expect.objectContaining({ event: 'miss', outcome: 'waited' })])
  })

  it('and costs three round trips on a miss, of which one has two commands, and one on a hit', async () => {
    const { a, source, store, until } = openFleet()
    await until(a.getOrSet('k', source.takes(10)))
    expect(store.calls.map(({ command }) => command)).toEqual(['read', 'acquire', 'stamp', 'commit'])
    await until(a.getOrSet('k', source.takes(10)))
    expect(store.calls.map(({ command }) => command)).toEqual(['read', 'acquire', 'stamp', 'commit', 'read'])
  })

  it('not at all for falsy values: they are values', async () => {
    const { a, source, until } = openFleet()
    for (const value of [null, 0, '', false, Number.NaN]) {
      const key = `k ${String(value)}`
      await until(a.getOrSet(key, () => value))
      expect(await until(a.getOrSet<unknown>(key, source.takes(10)))).toBe(value)
    }
    expect(source.loads).toBe(0)
  })
})
