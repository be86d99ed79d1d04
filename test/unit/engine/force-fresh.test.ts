import { describe, expect, it } from 'vitest'
import { openFleet, track } from './stage.ts'

describe('forceFresh', () => {
  const force = { forceFresh: true }

  it('loads although a fresh value is stored, and stores what it loaded', async () => {
    const { a, b, source, store, until } = openFleet()
    await until(a.set('k', 'stored'))
    expect(await until(a.getOrSet('k', source.takes(10), force))).toBe('load 1')
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 1')
    expect(store.count('read', 0)).toBe(0)
  })

  it('is shared by those who come before the load begins', async () => {
    const { a, source, until } = openFleet()
    const answers = await until(Promise.all([1, 2, 3].map(() => a.getOrSet('k', source.takes(10), force))))
    expect(answers).toEqual(['load 1', 'load 1', 'load 1'])
  })

  it('does not take a value whose load began before the call, of its own process', async () => {
    const { a, clock, source } = openFleet()
    const first = track(clock, a.getOrSet('k', source.takes(100), force))
    await clock.advance(50)
    const second = track(clock, a.getOrSet('k', source.takes(100), force))
    const third = track(clock, a.getOrSet('k', source.takes(100), force))
    await clock.advance(1000)
    expect([first.value, second.value, third.value]).toEqual(['load 1', 'load 2', 'load 2'])
    expect(source.mostAtOnce).toBe(1)
  })

  it('does not take a value whose load began before the call, of another process', async () => {
    const { a, b, clock, source } = openFleet()
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const second = track(clock, b.getOrSet('k', source.takes(100), force))
    await clock.advance(1000)
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
    expect(source.mostAtOnce).toBe(1)
  })

  it('takes what another process began to load after the call', async () => {
    const { caches, clock, source } = openFleet()
    const first = track(clock, caches[0]!.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const forced = [1, 2].map(client => track(clock, caches[client]!.getOrSet('k', source.takes(100), force)))
    await clock.advance(1000)
    expect(first.value).toBe('load 1')
    expect(forced.map(({ value }) => value)).toEqual(['load 2', 'load 2'])
    expect(source.loads).toBe(2)
  })

  it('does not make ordinary calls wait', async () => {
    const { a, clock, source, until } = openFleet()
    await until(a.set('k', 'stored'))
    const forced = track(clock, a.getOrSet('k', source.takes(100), force))
    await clock.advance(10)
    expect(await a.getOrSet('k', source.takes(100))).toBe('stored')
    expect(forced.state).toBe('pending')
    await clock.advance(200)
    expect(forced.value).toBe('load 1')
  })

  it('does not join the load of an ordinary call that began before it', async () => {
    const { a, clock, source } = openFleet()
    const ordinary = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const forced = track(clock, a.getOrSet('k', source.takes(100), force))
    await clock.advance(1000)
    expect([ordinary.value, forced.value]).toEqual(['load 1', 'load 2'])
  })

  it('may fail, and then the stored value stands in only where staleIfError allows it', async () => {
    const { a, source, until } = openFleet()
    await until(a.set('k', 'stored'))
    await expect(until(a.getOrSet('k', source.fails(10), force))).rejects.toThrow('the source is down')
    expect(await until(a.getOrSet('k', source.fails(10), { ...force, staleIfError: '1m' }))).toBe('stored')
  })
})
