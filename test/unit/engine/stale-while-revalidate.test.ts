import { describe, expect, it } from 'vitest'
import { openFleet, track, watch, type Fleet } from './stage.ts'

async function stored({ a, source, until }: Fleet): Promise<void> {
  await until(a.getOrSet('k', source.takes(10)))
}

describe('staleWhileRevalidate', () => {
  const options = { ttl: '1s', staleWhileRevalidate: '10s' } as const

  it('answers at once with the stale value and refreshes behind', async () => {
    const fleet = openFleet(options)
    const { a, clock, source } = fleet
    const records = watch(a, 'stale', 'refresh', 'miss')
    await stored(fleet)
    await clock.advance(1500)
    const call = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.settle()
    expect(call).toMatchObject({ value: 'load 1', at: 1510 })
    await clock.advance(100)
    expect(await a.get('k')).toBe('load 2')
    expect(records).toMatchObject([
      { event: 'miss' },
      { event: 'stale', reason: 'revalidate', staleMs: 500 },
      { event: 'refresh', reason: 'stale', outcome: 'refreshed' },
    ])
  })

  it('ends after its time: then callers wait for a load', async () => {
    const fleet = openFleet(options)
    await stored(fleet)
    await fleet.clock.advance(11_000)
    expect(await fleet.until(fleet.a.getOrSet('k', fleet.source.takes(100)))).toBe('load 2')
  })

  it('answers with the stale value when the refresh fails', async () => {
    const fleet = openFleet(options)
    await stored(fleet)
    await fleet.clock.advance(1500)
    expect(await fleet.a.getOrSet('k', fleet.source.fails(10))).toBe('load 1')
    await fleet.clock.advance(100)
    expect(await fleet.a.getOrSet('k', fleet.source.fails(10))).toBe('load 1')
  })

  it('applies to what was expired by hand, and not to what was deleted', async () => {
    const fleet = openFleet(options)
    const { a, b, clock, source, until } = fleet
    await stored(fleet)
    await until(b.expire('k'))
    expect(await a.getOrSet('k', source.takes(100))).toBe('load 1')
    await clock.advance(100)
    expect(await a.get('k')).toBe('load 2')
    await until(b.delete('k'))
    expect(await until(a.getOrSet('k', source.takes(100)))).toBe('load 3')
  })
})
