import { describe, expect, it } from 'vitest'
import type { StaleValue } from '../../../src/core/flights/loader-context.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { openFleet, watch } from './stage.ts'

describe('what a loader is given', () => {
  it('is the key, a signal and, on a first load, no previous value', async () => {
    const { a, source, until } = openFleet()
    const unreadable = watch(a, 'decode-error')
    await until(a.getOrSet('k', source.takes(10)))
    const [context] = source.contexts
    expect(context!.key).toBe('k')
    expect(context!.signal.aborted).toBe(false)
    expect(context!.stale).toBeUndefined()
    expect(unreadable, 'there was nothing to read').toEqual([])
  })

  it('is the previous value while it is kept past its freshness', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: '1s', staleIfError: '1m' })
    await until(a.set('k', { rows: [1] }))
    await clock.advance(3000)
    let stale: StaleValue | undefined
    await until(
      b.getOrSet(
        'k',
        source.runs<string>(context => void (stale = context.stale)),
      ),
    )
    expect(stale).toEqual({ value: { rows: [1] }, ageMs: 3000 })
  })

  it('is the previous value in a refresh, early or late', async () => {
    const window = { strategy: 'window', window: '5s', probability: 1 } as const
    const { a, clock, source, until } = openFleet({ ttl: '10s', refresh: window, staleWhileRevalidate: '10s' })
    for (const waitMs of [9000, 12_000]) {
      await until(a.set('k', 'old'))
      await clock.advance(waitMs)
      await a.getOrSet('k', source.takes(10))
      await clock.advance(10)
      expect(source.contexts.at(-1)!.stale).toMatchObject({ value: 'old' })
    }
  })

  it('is the previous value also after expire', async () => {
    const { a, source, until } = openFleet()
    await until(a.set('k', 'old'))
    await until(a.expire('k'))
    await until(a.getOrSet('k', source.takes(10)))
    expect(source.contexts[0]!.stale).toMatchObject({ value: 'old' })
  })
})

describe('setTtl', () => {
  it('decides how long the value is fresh', async () => {
    const { a, source, until } = openFleet({ ttl: '1m' })
    await until(
      a.getOrSet(
        'k',
        source.runs<string>(context => context.setTtl('2h')),
      ),
    )
    expect((await a.getEntry('k'))?.freshForMs).toBe(7_200_000)
  })

  it('refuses what is no duration: the load fails with INVALID_OPTION', async () => {
    const { a, source, until } = openFleet()
    for (const ttl of [0, -1, Number.NaN, '5 minutes']) {
      const call = a.getOrSet(
        'k',
        source.runs<string>(context => context.setTtl(ttl as never)),
      )
      await expect(until(call)).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'ttl' })
    }
  })
})

describe('notModified', () => {
  it('stores the previous value again, fresh, and answers it', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: '1s', staleIfError: '1m' })
    const records = watch(a, 'commit')
    await until(a.set('k', { rows: [1] }))
    await clock.advance(3000)
    const value = await until(a.getOrSet<unknown>('k', context => context.notModified()))
    expect(value).toEqual({ rows: [1] })
    expect(await b.getEntry('k')).toMatchObject({ value: { rows: [1] }, fresh: true, ageMs: 0, freshForMs: 1000 })
    expect(records).toMatchObject([{ outcome: 'stored' }])
    expect(source.loads).toBe(0)
  })

  it('takes a ttl set before', async () => {
    const { a, clock, until } = openFleet({ ttl: '1s', staleIfError: '1m' })
    await until(a.set('k', 'old'))
    await clock.advance(3000)
    await until(
      a.getOrSet('k', context => {
        context.setTtl('7s')
        return context.notModified()
      }),
    )
    expect((await a.getEntry('k'))?.freshForMs).toBe(7000)
  })

  it('makes what was expired by hand fresh again', async () => {
    const { a, b, until } = openFleet({ staleIfError: '1m' })
    await until(a.set('k', 'old'))
    await until(b.expire('k'))
    expect(await b.get('k')).toBeUndefined()
    await until(a.getOrSet('k', context => context.notModified()))
    expect(await b.get('k')).toBe('old')
  })

  it('does not bring back what was deleted during the load', async () => {
    const { a, b, clock, sleep, until } = openFleet({ ttl: '1s', staleIfError: '1m' })
    await until(a.set('k', 'old'))
    await clock.advance(3000)
    const call = a.getOrSet('k', async context => {
      await sleep(100)
      return context.notModified()
    })
    await clock.advance(50)
    await until(b.delete('k'))
    expect(await until(call)).toBe('old')
    expect(await b.getEntry('k')).toBeUndefined()
  })

  it('is an error where there is no previous value', async () => {
    const { a, until } = openFleet()
    await expect(until(a.getOrSet('k', context => context.notModified()))).rejects.toMatchObject({
      code: 'INVALID_LOADER',
      key: 'k',
    })
  })
})

describe('jitter', () => {
  it('shortens each ttl by a random share up to its own, and never lengthens it', async () => {
    const { a, until } = openFleet({ ttl: '100s', jitter: 0.2, random: seededRandom(3) })
    const lives: number[] = []
    for (let key = 0; key < 200; key++) {
      await until(a.set(`k${key}`, 'v'))
      lives.push((await a.getEntry(`k${key}`))!.freshForMs)
    }
    expect(Math.max(...lives)).toBeLessThanOrEqual(100_000)
    expect(Math.max(...lives)).toBeGreaterThan(98_000)
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(80_000)
    expect(Math.min(...lives)).toBeLessThan(82_000)
  })

  it('applies to loaded values and to setTtl, and leaves the stale window whole', async () => {
    const { a, until } = openFleet({
      ttl: '100s',
      jitter: 0.2,
      staleIfError: '50s',
      random: { ...seededRandom(3), next: () => 0.5 },
    })
    await until(
      a.getOrSet('k', context => {
        context.setTtl('10s')
        return 'v'
      }),
    )
    expect(await a.getEntry('k')).toMatchObject({ freshForMs: 9000, remainingMs: 59_000 })
  })

  it('leaves at least a millisecond', async () => {
    const { a, until } = openFleet({ ttl: 1, jitter: 0.5 })
    await until(a.set('k', 'v'))
    expect((await a.getEntry('k'))?.freshForMs).toBe(1)
  })
})
