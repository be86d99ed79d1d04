import { describe, expect, it } from 'vitest'
import { openFleet, track, watch } from './stage.ts'

describe('a version', () => {
  it('has values of its own, so that old and new code run side by side', async () => {
    const { a, b, source, until } = openFleet()
    await until(
      Promise.all([a.getOrSet('k', source.takes(10), { version: 1 }), b.getOrSet('k', source.takes(10), { version: 2 })]),
    )
    expect(await a.get('k', { version: 1 })).toBe('load 1')
    expect(await a.get('k', { version: 2 })).toBe('load 2')
    expect(await a.get('k')).toBeUndefined()
  })

  it('may be set for the whole cache and for one call', async () => {
    const { a, source, until } = openFleet({ version: 3 })
    await until(a.getOrSet('k', source.takes(10)))
    expect(await a.get('k', { version: 3 })).toBe('load 1')
    expect(await a.getEntry('k', { version: 4 })).toBeUndefined()
    expect(await a.has('k', { version: 3 })).toBe(true)
  })

  it('does not wait for loads of another', async () => {
    const { a, b, clock, source } = openFleet()
    void a.getOrSet('k', source.takes(1000), { version: 1 })
    const other = track(clock, b.getOrSet('k', source.takes(10), { version: 2 }))
    await clock.advance(20)
    expect(other.value).toBe('load 2')
  })

  it('is named in the records', async () => {
    const { a, source, until } = openFleet()
    const records = watch(a, 'load', 'miss', 'commit')
    await until(a.getOrSet('k', source.takes(10), { version: 7 }))
    expect(records.map(({ version }) => version)).toEqual([7, 7, 7])
  })
})

describe('during a deploy', () => {
  const versions = [1, 2, 3, 4].map(version => ({ version }))

  async function open() {
    const fleet = openFleet()
    for (const options of versions) {
      // From the load rather than a set, which would remove its neighbours.
      await fleet.until(fleet.a.getOrSet('k', fleet.source.takes(0), options))
    }
    const stored = async (): Promise<boolean[]> => Promise.all(versions.map(options => fleet.b.has('k', options)))
    expect(await stored()).toEqual([true, true, true, true])
    return { ...fleet, stored }
  }

  it('a delete removes the values of the neighbouring versions too', async () => {
    const { a, stored, until } = await open()
    await until(a.delete('k', { version: 2 }))
    expect(await stored()).toEqual([false, false, false, true])
  })

  it('a set removes them and stores its own', async () => {
    const { a, stored, until } = await open()
    await until(a.set('k', 'set', { version: 2 }))
    expect(await stored()).toEqual([false, true, false, true])
  })

  it('an expire marks them', async () => {
    const { a, stored, until } = await open()
    expect(await until(a.expire('k', { version: 2 }))).toBe('applied')
    expect(await stored()).toEqual([false, false, false, true])
  })

  it.each([
    ['another process', 1],
    ['the same process', 0],
  ])('an invalidation by %s revokes running loads of the neighbouring versions', async (_name, process) => {
    const { caches, clock, source, until } = openFleet()
    const first = track(clock, caches[0]!.getOrSet('k', source.takes(100), { version: 1 }))
    await clock.advance(50)
    await until(caches[process]!.delete('k', { version: 2 }))
    const second = track(clock, caches[0]!.getOrSet('k', source.takes(100), { version: 1 }))
    await clock.advance(500)
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
    expect(await caches[2]!.get('k', { version: 1 })).toBe('load 2')
  })

  it('an invalidation closes even an unleased load of a neighbouring version to those who come after', async () => {
    const { a, clock, source, until } = openFleet({}, ({ command }) =>
      command === 'acquire' ? { kind: 'answered', reply: { kind: 'full' } } : undefined,
    )
    const first = track(clock, a.getOrSet('k', source.takes(100), { version: 1 }))
    await clock.advance(50)
    await until(a.delete('k', { version: 2 }))
    const second = track(clock, a.getOrSet('k', source.takes(100), { version: 1 }))
    await clock.advance(500)
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
  })
})
