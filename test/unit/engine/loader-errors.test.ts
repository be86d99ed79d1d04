import { describe, expect, it } from 'vitest'
import { isLeaseholdError } from '../../../src/core/errors.ts'
import { openFleet, track, watch } from './stage.ts'

describe('a loader that fails', () => {
  it('fails all callers of its process with the very error it threw', async () => {
    const { a, clock, source } = openFleet()
    const error = new RangeError('no such row')
    const calls = Array.from({ length: 5 }, () => track(clock, a.getOrSet('k', source.fails(100, error))))
    await clock.advance(50)
    calls.push(track(clock, a.getOrSet('k', source.fails(100, error))))
    await clock.advance(50)
    for (const call of calls) expect(call.error).toBe(error)
    expect(source.loads).toBe(1)
  })

  it('sends no error to other processes: each of them tries once for itself, at once', async () => {
    const { caches, clock, source } = openFleet({ lease: '10s' })
    const errors = caches.map((_, process) => new Error(`seen by ${process}`))
    const calls = caches.flatMap((cache, process) =>
      [1, 2, 3].map(() => track(clock, cache.getOrSet('k', source.fails(100, errors[process])))),
    )
    await clock.advance(200)
    expect(calls.map(({ error }) => error)).toEqual(errors.flatMap(error => [error, error, error]))
    expect(source.loads).toBe(3)
  })

  it('is not remembered: the next call loads again', async () => {
    const { a, source, until } = openFleet()
    await expect(until(a.getOrSet('k', source.fails(10)))).rejects.toThrow('the source is down')
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 2')
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 2')
  })

  it.each([undefined, null, 0, 'text', Symbol('s')])('may throw %o, and the call rejects with it', async thrown => {
    const { a, b, clock, source } = openFleet()
    const calls = [a, a, b].map(cache => track(clock, cache.getOrSet('k', source.fails(10, thrown))))
    await clock.advance(100)
    for (const call of calls) expect(call).toMatchObject({ state: 'rejected', error: thrown })
  })

  it('may throw at once, before it returns a promise', async () => {
    const { a, until } = openFleet()
    const call = a.getOrSet('k', () => {
      throw new Error('at once')
    })
    await expect(until(call)).rejects.toThrow('at once')
  })

  it('is stood in for by a stale value within staleIfError', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: '1s', staleIfError: '1m' })
    const records = [watch(a, 'stale', 'miss'), watch(b, 'stale', 'miss')]
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    expect(await until(Promise.all([a, a, b].map(cache => cache.getOrSet('k', source.fails(10)))))).toEqual(['old', 'old', 'old'])
    expect(records[0]).toMatchObject([
      { event: 'stale', reason: 'load-failed', staleMs: 510 },
      { event: 'stale', reason: 'load-failed', staleMs: 510 },
    ])
    expect(records[1]).toMatchObject([{ event: 'stale', reason: 'load-failed' }])
    await clock.advance(60_000)
    await expect(until(a.getOrSet('k', source.fails(10)))).rejects.toThrow('the source is down')
  })

  it('is not stood in for by a value that is kept longer than this call allows', async () => {
    const { a, clock, source, until } = openFleet({ ttl: '1s', staleIfError: '1h' })
    await until(a.set('k', 'old'))
    await clock.advance(11_000)
    await expect(until(a.getOrSet('k', source.fails(10), { staleIfError: '5s' }))).rejects.toThrow('the source is down')
    expect(await until(a.getOrSet('k', source.fails(10), { staleIfError: '20s' }))).toBe('old')
  })

  it('is not stood in for by a value that was deleted before the call', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: '1s', staleIfError: '1m' })
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    const first = track(clock, a.getOrSet('k', source.fails(100)))
    await clock.advance(50)
    await until(b.delete('k'))
    const second = track(clock, a.getOrSet('k', source.fails(100)))
    await clock.advance(500)
    expect(first.value).toBe('old')
    expect(second.state).toBe('rejected')
  })

  it('leaves no unhandled rejection when nobody waits for it any more', async () => {
    const { a, clock, source } = openFleet()
    const leaving = new AbortController()
    a.getOrSet('k', source.fails(100), { signal: leaving.signal }).catch(() => {})
    await clock.advance(50)
    leaving.abort()
    await clock.advance(100)
    expect(source.running).toBe(0)
  })

  it('reports each of its callers and itself', async () => {
    const { a, source, until } = openFleet()
    const error = new Error('no')
    const records = watch(a, 'load', 'miss')
    await until(Promise.allSettled([1, 2].map(() => a.getOrSet('k', source.fails(10, error)))))
    expect(records).toMatchObject([
      { event: 'load', outcome: 'failed', error, durationMs: 10 },
      { event: 'miss', outcome: 'failed', error, durationMs: 10 },
      { event: 'miss', outcome: 'failed', error, durationMs: 10 },
    ])
  })
})

describe('errorCooldown', () => {
  const options = { errorCooldown: '5s' } as const
  const sourceDown = Object.assign(new Error('no connection to db-1 as admin'), { code: 'ECONNREFUSED' })

  it('keeps the whole fleet from loading the key after a failure', async () => {
    const { a, b, clock, source, until } = openFleet(options)
    const waiting = track(clock, b.getOrSet('other', source.takes(0)))
    const calls = [a, b].map(cache => track(clock, cache.getOrSet('k', source.fails(100, sourceDown))))
    await clock.advance(100)
    expect(calls[0]!.error).toBe(sourceDown)
    expect(isLeaseholdError(calls[1]!.error, 'LOAD_COOLING')).toBe(true)
    await expect(until(a.getOrSet('k', source.takes(10)))).rejects.toMatchObject({ code: 'LOAD_COOLING', key: 'k' })
    expect(waiting.state).toBe('fulfilled')
    await clock.advance(5000)
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 3')
  })

  it('tells others the error’s code and nothing else of it', async () => {
    const { a, b, source, until } = openFleet(options)
    await until(a.getOrSet('k', source.fails(10, sourceDown)).catch(() => {}))
    const error = (await until(b.getOrSet('k', source.takes(10)).catch((reason: unknown) => reason))) as Error
    expect(error.message).toContain('(ECONNREFUSED)')
    expect(error.message).toContain('5000 ms')
    expect(error.message).not.toContain('admin')
  })

  it.each([
    [new TypeError('x'), 'TypeError'],
    [undefined, 'ERROR'],
    [{ code: 'no spaces: here' }, 'no_spaces__here'],
    [{ code: '', name: 7 }, 'ERROR'],
  ])('names %o by code, name or a stand-in', async (thrown, named) => {
    const { a, source, until } = openFleet(options)
    await until(a.getOrSet('k', source.fails(10, thrown)).catch(() => {}))
    await expect(until(a.getOrSet('k', source.takes(10)))).rejects.toThrow(`(${named})`)
  })

  it('lets stale values stand in meanwhile', async () => {
    const { a, b, clock, source, until } = openFleet({ ...options, ttl: '1s', staleIfError: '1m' })
    const records = watch(b, 'stale')
    await until(a.set('k', 'old'))
    await clock.advance(2000)
    await until(a.getOrSet('k', source.fails(10)))
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('old')
    expect(records).toMatchObject([{ reason: 'cooldown' }])
    expect(source.loads).toBe(1)
  })

  it('is ended by a set or a delete', async () => {
    const { a, b, source, until } = openFleet(options)
    await until(a.getOrSet('k', source.fails(10)).catch(() => {}))
    await until(b.delete('k'))
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 2')
  })

  it('follows a hard timeout as well', async () => {
    const { a, clock, source, until } = openFleet({ ...options, timeout: { hard: '1s' } })
    await until(a.getOrSet('k', source.hangs()).catch(() => {}))
    await clock.advance(1100)
    await expect(until(a.getOrSet('k', source.takes(10)))).rejects.toMatchObject({ code: 'LOAD_COOLING' })
  })
})
