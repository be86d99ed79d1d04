import { describe, expect, it } from 'vitest'
import { openFleet, watch } from './stage.ts'

describe('get', () => {
  it('returns a fresh value and never loads', async () => {
    const { a, b, until } = openFleet()
    expect(await until(a.get('k'))).toBeUndefined()
    await until(b.set('k', { n: 1 }))
    expect(await until(a.get('k'))).toEqual({ n: 1 })
  })

  it('returns nothing that is stale or was expired or deleted', async () => {
    const { a, b, clock, until } = openFleet({ ttl: '10s', staleIfError: '1m', staleWhileRevalidate: '1m' })
    await until(b.set('k', 'v'))
    await clock.advance(10_000)
    expect(await until(a.get('k'))).toBeUndefined()
    await until(b.set('k', 'v'))
    await until(b.expire('k'))
    expect(await until(a.get('k'))).toBeUndefined()
    await until(b.set('k', 'v'))
    await until(b.delete('k'))
    expect(await until(a.get('k'))).toBeUndefined()
  })

  it('does not join a load that is running', async () => {
    const { a, clock, source, until } = openFleet()
    void a.getOrSet('k', source.takes(1000))
    await clock.advance(10)
    expect(await until(a.get('k'))).toBeUndefined()
    expect(clock.now()).toBe(10)
  })
})

describe('getEntry', () => {
  it('tells age, freshness, remaining time, load time and size', async () => {
    const { a, clock, source, until } = openFleet({ ttl: '10s', staleIfError: '1m' })
    await until(a.getOrSet('k', source.takes(250)))
    await clock.advance(4000)
    expect(await until(a.getEntry('k'))).toEqual({
      value: 'load 1',
      fresh: true,
      ageMs: 4000,
      freshForMs: 6000,
      remainingMs: 66_000,
      loadMs: 250,
      bytes: expect.any(Number),
    })
  })

  it('shows a stale value while it is kept', async () => {
    const { a, clock, until } = openFleet({ ttl: '10s', staleIfError: '1m' })
    await until(a.set('k', 'v'))
    await clock.advance(15_000)
    expect(await until(a.getEntry('k'))).toMatchObject({
      value: 'v',
      fresh: false,
      ageMs: 15_000,
      freshForMs: 0,
      remainingMs: 55_000,
    })
    await clock.advance(55_000)
    expect(await until(a.getEntry('k'))).toBeUndefined()
  })

  it('shows a value that was expired by hand as stale', async () => {
    const { a, until } = openFleet({ ttl: '10s' })
    await until(a.set('k', 'v'))
    await until(a.expire('k'))
    expect(await until(a.getEntry('k'))).toMatchObject({ fresh: false, freshForMs: 0, remainingMs: 10_000 })
  })

  it('goes by the server’s time: the wall clock of a reader may be wrong', async () => {
    const { a, clock, until } = openFleet({ ttl: '10s' })
    await until(a.set('k', 'v'))
    await clock.advance(9_999)
    expect(await until(a.has('k'))).toBe(true)
    await clock.advance(1)
    expect(await until(a.has('k'))).toBe(false)
  })
})

describe('has', () => {
  it('is about fresh values alone', async () => {
    const { a, clock, until } = openFleet({ ttl: '10s', staleIfError: '1m' })
    expect(await until(a.has('k'))).toBe(false)
    await until(a.set('k', null))
    expect(await until(a.has('k'))).toBe(true)
    await clock.advance(10_000)
    expect(await until(a.has('k'))).toBe(false)
  })
})

describe('set', () => {
  it('stores for all processes, with its own ttl', async () => {
    const { a, b, until } = openFleet()
    await until(a.set('k', 'v', { ttl: '3s', staleIfError: '1m' }))
    expect(await until(b.getEntry('k'))).toMatchObject({ value: 'v', freshForMs: 3000, remainingMs: 63_000, loadMs: 0 })
  })

  it('replaces what was there', async () => {
    const { a, b, until } = openFleet()
    await until(a.set('k', 1))
    await until(b.set('k', 2))
    expect(await until(a.get('k'))).toBe(2)
  })

  it('stores what it was given when it was called', async () => {
    const { a, until } = openFleet()
    const value = { tags: ['a'] }
    const stored = a.set('k', value)
    value.tags.push('later')
    await until(stored)
    expect(await until(a.get('k'))).toEqual({ tags: ['a'] })
  })

  it('is recorded', async () => {
    const { a, until } = openFleet()
    const records = watch(a, 'set')
    await until(a.set('k', 'v'))
    expect(records).toMatchObject([{ key: 'k', version: 0, outcome: 'stored', durationMs: 0 }])
    expect(records[0]!.bytes).toBe((await a.getEntry('k'))!.bytes)
  })
})

describe('delete', () => {
  it('removes for all processes, what is stale included', async () => {
    const { a, b, clock, until } = openFleet({ ttl: '1s', staleIfError: '1m' })
    await until(a.set('k', 'v'))
    await clock.advance(2000)
    await until(b.delete('k'))
    expect(await until(a.getEntry('k'))).toBeUndefined()
  })

  it('takes many keys, and none', async () => {
    const { a, b, store, until } = openFleet()
    const keys = ['k1', 'k2', 'k3']
    for (const key of keys) await until(a.set(key, 'v'))
    await until(b.delete(keys))
    for (const key of keys) expect(await until(a.has(key))).toBe(false)
    await until(b.delete([]))
    expect(store.count('remove')).toBe(3)
  })

  it('of many keys deletes the others when one is deferred, and says so', async () => {
    const { a, b, store, until } = openFleet()
    for (const key of ['k1', 'k2', 'k3']) await until(a.set(key, 'v'))
    const records = watch(b, 'invalidate')
    store.script = ({ command, key }) =>
      command === 'remove' && key === 'k2' ? { kind: 'slow', requestMs: Infinity, replyMs: 0 } : undefined
    expect(await until(b.delete(['k1', 'k2', 'k3']))).toBe('deferred')
    expect(await Promise.all(['k1', 'k2', 'k3'].map(key => a.has(key)))).toEqual([false, true, false])
    expect(records.map(({ key, outcome }) => `${key} ${outcome}`)).toEqual(['k1 applied', 'k3 applied', 'k2 deferred'])
  })

  it('of many keys touches none when one of them is no key', async () => {
    const { a, store, until } = openFleet()
    await until(a.set('k1', 'v'))
    await expect(a.delete(['k1', ''])).rejects.toMatchObject({ code: 'INVALID_KEY' })
    expect(store.count('remove')).toBe(0)
  })

  it('of what is not there is no error', async () => {
    const { a, until } = openFleet()
    const records = watch(a, 'invalidate')
    await until(a.delete('k'))
    expect(records).toMatchObject([{ key: 'k', operation: 'delete', durationMs: 0 }])
  })
})

describe('expire', () => {
  it('makes the next call load', async () => {
    const { a, b, source, until } = openFleet()
    expect(await until(a.expire('k'))).toBe('applied')
    await until(a.set('k', 'v'))
    const records = watch(b, 'invalidate')
    expect(await until(b.expire('k'))).toBe('applied')
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 1')
    expect(records).toMatchObject([{ operation: 'expire', outcome: 'applied' }])
  })

  it('keeps the value for as long as it would have been kept', async () => {
    const { a, clock, source, until } = openFleet({ ttl: '10s', staleIfError: '10s' })
    await until(a.set('k', 'v'))
    await until(a.expire('k'))
    await clock.advance(19_000)
    expect(await until(a.getOrSet('k', source.fails(10)))).toBe('v')
    await clock.advance(1000)
    await expect(until(a.getOrSet('k', source.fails(10)))).rejects.toThrow('the source is down')
  })
})
