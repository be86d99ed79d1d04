import { describe, expect, it } from 'vitest'
import type { Loader } from '../../../src/core/flights/loader-context.ts'
import { openFleet, track, watch, type Fleet } from './stage.ts'

type Make = (fleet: Fleet) => Loader<unknown>

const large = 'x'.repeat(2000)
const kinds: readonly [string, unknown, Make][] = [
  ['returns undefined', undefined, ({ source }) => source.returns(100, undefined)],
  ['returns more than maxValueBytes', large, ({ source }) => source.returns(100, large)],
  [
    'skips',
    'load 1',
    ({ source, sleep }) =>
      source.runs<string>(async context => {
        await sleep(100)
        context.skip()
      }),
  ],
]

describe.each(kinds)('a loader that %s', (_name, answer, make) => {
  function open() {
    const fleet = openFleet({ maxValueBytes: 1024, lease: '10s', compression: false })
    return { ...fleet, loader: make(fleet) }
  }

  it('answers all callers of its process and stores nothing', async () => {
    const { a, b, clock, loader, source } = open()
    const calls = [1, 2].map(() => track(clock, a.getOrSet('k', loader)))
    await clock.advance(50)
    calls.push(track(clock, a.getOrSet('k', loader)))
    await clock.advance(50)
    for (const call of calls) expect(call).toMatchObject({ state: 'fulfilled', value: answer })
    expect(source.loads).toBe(1)
    expect(await b.get('k')).toBeUndefined()
  })

  it('neither makes other processes queue behind one another nor lets each of their callers load', async () => {
    const { caches, clock, loader, source } = open()
    const calls = caches.flatMap(cache => [1, 2, 3].map(() => track(clock, cache.getOrSet('k', loader))))
    await clock.advance(200)
    for (const call of calls) expect(call.state).toBe('fulfilled')
    expect(source.loads).toBe(3)
  })

  it('lets processes load beside each other from then on, for as long as the lease is', async () => {
    const { a, b, c, clock, loader, source, until } = open()
    await until(a.getOrSet('k', loader))
    const calls = [a, b, c].map(cache => track(clock, cache.getOrSet('k', loader)))
    await clock.advance(100)
    for (const call of calls) expect(call.state).toBe('fulfilled')
    expect(source.loads).toBe(4)
    expect(source.mostAtOnce).toBe(3)

    await clock.advance(20_000)
    const later = [a, b].map(cache => track(clock, cache.getOrSet('k', loader)))
    await clock.advance(50)
    expect(source.running).toBe(1)
    await clock.advance(200)
    for (const call of later) expect(call.state).toBe('fulfilled')
  })

  it('stores and shares again as soon as it has something to store', async () => {
    const { a, b, c, clock, loader, source, until } = open()
    await until(a.getOrSet('k', loader))
    const stored = source.takes(100)
    void a.getOrSet('k', stored)
    await clock.advance(150)
    expect(await until(Promise.all([b, c].map(cache => cache.getOrSet('k', stored))))).toEqual(['load 2', 'load 2'])
  })

  it('keeps what was stored before, which may be stale', async () => {
    const { a, clock, loader, until } = open()
    await until(a.set('k', 'old', { ttl: '1s', staleIfError: '1h' }))
    await clock.advance(2000)
    await until(a.getOrSet('k', loader, { staleIfError: '1h' }))
    expect((await a.getEntry('k'))?.value).toBe('old')
  })
})

describe('a load beside another that holds the lease of such a key', () => {
  it('is nothing for those who come after it began: nothing vouches for it', async () => {
    const { a, b, c, clock, source, until } = openFleet({ lease: '10s' })
    await until(a.getOrSet('k', source.returns(10, undefined)))
    void a.getOrSet('k', source.takes(5000))
    await clock.settle()
    const first = track(clock, b.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    await until(c.delete('k'))
    const second = track(clock, b.getOrSet('k', source.takes(100)))
    await clock.advance(300)
    expect([first.value, second.value]).toEqual(['load 3', 'load 4'])
  })
})

describe('a value that was too large', () => {
  it('is reported with its size', async () => {
    const { a, until } = openFleet({ maxValueBytes: 1024, compression: false })
    const records = watch(a, 'commit', 'miss')
    await until(a.getOrSet('k', () => 'x'.repeat(2000)))
    expect(records).toMatchObject([
      { event: 'commit', outcome: 'too-large' },
      { event: 'miss', outcome: 'loaded' },
    ])
    expect((records[0] as { bytes: number }).bytes).toBeGreaterThan(2000)
  })

  it('is refused by set', async () => {
    const { a, until } = openFleet({ maxValueBytes: 1024, compression: false })
    await expect(until(a.set('k', 'x'.repeat(2000)))).rejects.toMatchObject({
      code: 'VALUE_TOO_LARGE',
      option: 'maxValueBytes',
      key: 'k',
    })
  })
})
