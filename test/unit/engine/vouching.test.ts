import { describe, expect, it } from 'vitest'
import { slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

describe('a call may take a value only if its load, or the command that vouched for it, began after the call', () => {
  it('so whoever comes before the commit is sent shares the load', async () => {
    const { a, clock, source, until } = openFleet()
    const first = a.getOrSet('k', source.takes(100))
    await clock.advance(99)
    const second = a.getOrSet('k', source.takes(100))
    expect(await until(Promise.all([first, second]))).toEqual(['load 1', 'load 1'])
  })

  it('so whoever comes after the commit was sent looks for himself: a delete may have come between', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    store.script = ({ command }) => (command === 'commit' ? slow(0, 50) : undefined)
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(110)
    await until(b.delete('k'))
    const second = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(400)
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
  })

  it('and finds the value without a load when nothing had come between', async () => {
    const { a, clock, source, store, until } = openFleet()
    store.script = ({ command }) => (command === 'commit' ? slow(0, 50) : undefined)
    const first = a.getOrSet('k', source.takes(100))
    await clock.advance(110)
    const second = a.getOrSet('k', source.takes(100))
    expect(await until(Promise.all([first, second]))).toEqual(['load 1', 'load 1'])
    expect(store.count('acquire')).toBe(1)
  })

  it('so a value that an acquire brings is not for those who came after it was sent', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    store.script = ({ command, client }) => {
      if (client !== 0) return undefined
      if (command === 'read') return slow(0, 20)
      return command === 'acquire' ? slow(0, 50) : undefined
    }
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(10)
    await until(b.set('k', 'old'))
    await clock.advance(20)
    await until(b.delete('k'))
    const second = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(1000)
    expect([first.value, second.value]).toEqual(['old', 'load 1'])
  })

  it('so those who joined a load that a delete revoked start over, and those from before it began do not', async () => {
    const { a, b, clock, source, until } = openFleet()
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    await until(b.delete('k'))
    const second = track(clock, a.getOrSet('k', source.takes(100)))
    const third = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(49)
    expect(first.state).toBe('pending')
    await clock.advance(1)
    expect(first).toMatchObject({ state: 'fulfilled', value: 'load 1' })
    await clock.advance(100)
    expect([second.value, third.value]).toEqual(['load 2', 'load 2'])
    expect(source.loads).toBe(2)
  })

  it('so a read is not shared with those who come after it left', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    await until(b.set('k', 'old'))
    store.script = ({ command, client }) => (command === 'read' && client === 0 ? slow(0, 50) : undefined)
    const first = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(10)
    await until(b.delete('k'))
    const second = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(200)
    expect([first.value, second.value]).toEqual(['old', 'load 1'])
  })

  it('so constant invalidation makes a call start over once at most, since every later load begins after it', async () => {
    const { a, b, clock, source, sleep, until } = openFleet()
    const invalidations = (async () => {
      for (let times = 0; times < 100; times++) {
        await b.delete('k')
        await sleep(7)
      }
    })()
    const calls = []
    for (let ms = 0; ms < 500; ms += 10) {
      calls.push({ began: clock.now(), call: track(clock, a.getOrSet('k', source.takes(100))) })
      await clock.advance(10)
    }
    await until(invalidations)
    for (const { began, call } of calls) {
      expect(call.state).toBe('fulfilled')
      expect(call.at! - began).toBeLessThanOrEqual(200 + 8)
    }
  })

  it('and a load that stores nothing is vouched for by the release of its lease', async () => {
    const { a, b, clock, source, until } = openFleet()
    const nothing = source.returns(100, undefined)
    const first = track(clock, a.getOrSet('k', nothing))
    await clock.advance(50)
    const second = track(clock, a.getOrSet('k', nothing))
    await clock.advance(100)
    expect([first.state, second.state, source.loads]).toEqual(['fulfilled', 'fulfilled', 1])

    const third = track(clock, a.getOrSet('k', nothing))
    await clock.advance(50)
    await until(b.delete('k'))
    const fourth = track(clock, a.getOrSet('k', nothing))
    await clock.advance(51)
    expect([third.state, fourth.state]).toEqual(['fulfilled', 'pending'])
    await clock.advance(100)
    expect([fourth.state, source.loads]).toEqual(['fulfilled', 3])
  })

  it('and says in its records who loaded, who joined and who had it from elsewhere', async () => {
    const { a, b, clock, source, until } = openFleet()
    const records = [watch(a, 'miss'), watch(b, 'miss')]
    const answers = [a, a, b].map(cache => cache.getOrSet('k', source.takes(100)))
    await clock.advance(1)
    await until(Promise.all(answers))
    expect(records.map(of => of.map(({ outcome }) => outcome))).toEqual([['loaded', 'joined'], ['waited']])
  })
})
