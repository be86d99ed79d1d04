import { describe, expect, it } from 'vitest'
import { openFleet, watch } from './stage.ts'

describe('after a refresh', () => {
  it('that stored its value the next may come at once, however long the lease', async () => {
    const { a, clock, source, until } = openFleet({ ttl: '100ms', staleWhileRevalidate: '1m', lease: '10s' })
    const records = watch(a, 'refresh')
    await until(a.set('k', 'old'))
    for (let times = 0; times < 3; times++) {
      await clock.advance(150)
      await a.getOrSet('k', source.takes(0))
    }
    await clock.advance(10)
    expect(records.map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed', 'refreshed'])
  })

  it('that failed no other key is quiet, and none for the sake of another', async () => {
    const { a, clock, source, until } = openFleet({ ttl: '100ms', staleWhileRevalidate: '1m', lease: '1s' })
    const keys = ['one', 'other']
    await until(Promise.all(keys.map(key => a.set(key, 'old'))))
    await clock.advance(150)
    for (let times = 0; times < 3; times++) {
      for (const key of keys) await a.getOrSet(key, source.fails(0))
      await clock.advance(10)
    }
    expect(source.contexts.map(({ key }) => key)).toEqual(keys)
  })

  it('that failed the key is quiet for its cooldown, or for a lease where that is longer', async () => {
    const fails = [
      { lease: '1s', errorCooldown: '5s', quietMs: 5000 },
      { lease: '5s', errorCooldown: '1s', quietMs: 5000 },
    ] as const
    for (const { quietMs, ...options } of fails) {
      const { a, clock, source, until } = openFleet({ ttl: '100ms', staleWhileRevalidate: '1m', ...options })
      await until(a.set('k', 'old'))
      await clock.advance(150)
      await a.getOrSet('k', source.fails(0))
      await clock.advance(1)
      const offer = async (): Promise<number> => {
        await a.getOrSet('k', source.fails(0))
        await clock.settle()
        return source.loads
      }
      await clock.advance(quietMs - 1)
      expect(await offer()).toBe(1)
      await clock.advance(1)
      expect(await offer()).toBe(2)
    }
  })
})
