import { describe, expect, it } from 'vitest'
import type { CommitRequest, ReleaseRequest } from '../../../src/core/ports.ts'
import { lostRequest, refused, slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

describe('a commit', () => {
  it('asks the store to keep the entry for its ttl and the longer of its stale windows', async () => {
    const { a, source, store, until } = openFleet({ ttl: '10s', staleWhileRevalidate: '20s', staleIfError: '1m' })
    await until(a.getOrSet('k', source.takes(10)))
    await until(a.getOrSet('other', source.takes(10), { staleIfError: 0 }))
    const kept = store.calls.filter(({ command }) => command === 'commit').map(({ request }) => (request as CommitRequest).keepMs)
    expect(kept).toEqual([70_000, 30_000])
  })

  it('that was not executed is not sent again', async () => {
    const { a, source, store, until } = openFleet({}, ({ command }) => (command === 'commit' ? refused() : undefined))
    const records = watch(a, 'store-error', 'commit')
    await until(a.getOrSet('k', source.takes(10)))
    expect(store.count('commit')).toBe(1)
    expect(records).toMatchObject([
      { event: 'store-error', command: 'commit', outcome: 'not-executed' },
      { event: 'commit', outcome: 'unknown' },
    ])
  })

  it('is not sent again once the store budget is spent', async () => {
    const { a, clock, source, store } = openFleet({ storeBudget: '100ms' }, ({ command }) =>
      command === 'commit' ? lostRequest() : undefined,
    )
    const call = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(110)
    expect(call).toMatchObject({ value: 'load 1', at: 110 })
    expect(store.count('commit')).toBe(1)
  })

  it('is not crossed by a renewal, which would look like a loss', async () => {
    const { a, clock, source, store } = openFleet({ lease: '100ms' }, ({ command }) =>
      command === 'commit' ? slow(0, 90) : undefined,
    )
    const records = watch(a, 'lost', 'commit')
    const call = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(500)
    expect(call.value).toBe('load 1')
    expect(store.count('renew')).toBe(0)
    expect(records).toMatchObject([{ event: 'commit', outcome: 'stored' }])
  })

  it('takes an entry of exactly maxValueBytes', async () => {
    const value = 'x'.repeat(200)
    const probe = openFleet({ compression: false })
    const records = watch(probe.a, 'commit')
    await probe.until(probe.a.getOrSet('k', probe.source.returns(10, value)))
    const bytes = records[0]!.bytes
    for (const [maxValueBytes, outcome] of [
      [bytes, 'stored'],
      [bytes - 1, 'too-large'],
    ] as const) {
      const { a, source, until } = openFleet({ compression: false, maxValueBytes })
      const committed = watch(a, 'commit')
      await until(a.getOrSet('k', source.returns(10, value)))
      expect(committed).toMatchObject([{ outcome, bytes }])
    }
  })
})

describe('a load that stores nothing', () => {
  it.each(['nothing', 'skip'] as const)('makes its records and no commit (%s)', async kind => {
    const { a, clock, source, until } = openFleet()
    const records = watch(a, 'load', 'commit', 'miss')
    const loader = kind === 'nothing' ? source.returns(10, undefined) : source.runs<string>(context => context.skip())
    await until(a.getOrSet('k', loader))
    await clock.settle()
    expect(records).toMatchObject([
      { event: 'load', outcome: kind === 'nothing' ? 'nothing' : 'value' },
      { event: 'miss', outcome: 'loaded' },
    ])
  })

  it('says in its record when it went without the store', async () => {
    const { a, source, until } = openFleet({}, ({ command }) => (command === 'acquire' ? refused() : undefined))
    const records = watch(a, 'load', 'miss')
    expect(await until(a.getOrSet('k', source.returns(10, undefined)))).toBeUndefined()
    expect(records).toMatchObject([
      { event: 'load', outcome: 'nothing', leased: false },
      { event: 'miss', outcome: 'unleased' },
    ])
  })

  it('does not answer those who joined it when its release is not answered', async () => {
    const { a, clock, source, store } = openFleet({}, ({ command, nth }) =>
      command === 'release' && nth === 1 ? lostRequest() : undefined,
    )
    const records = watch(a, 'store-error')
    const first = track(clock, a.getOrSet('k', source.returns(100, undefined)))
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(150)
    expect(first, 'late by one command timeout').toMatchObject({ state: 'fulfilled', value: undefined, at: 200 })
    await clock.advance(2000)
    expect(joined.value).toBe('load 2')
    expect(records).toMatchObject([{ command: 'release', outcome: 'unknown' }])
    expect(store.count('release')).toBe(1)
  })

  it('is answered within the store budget, of which its release may have all that is left', async () => {
    const options = { commandTimeout: '100ms', storeBudget: '150ms' } as const
    const { a, clock, source, store } = openFleet(options, ({ command }) =>
      command === 'acquire' ? slow(30, 30) : command === 'release' ? lostRequest() : undefined,
    )
    const nothing = track(clock, a.getOrSet('k', source.returns(10, undefined)))
    const failed = track(clock, a.getOrSet('other', source.fails(10)))
    await clock.advance(500)
    expect(nothing.at).toBe(160)
    expect(failed.at, 'nobody waits for the release of a load that failed').toBe(70)
    const releases = store.calls
      .filter(({ command }) => command === 'release')
      .map(({ request }) => (request as ReleaseRequest).timeoutMs)
    expect(releases).toEqual([90, 100])
  })

  it('sends no release once its lease is lost', async () => {
    const { a, b, clock, source, store, until } = openFleet({ lease: '300ms' })
    const failing = track(clock, a.getOrSet('k', source.fails(200)))
    await clock.advance(50)
    await until(b.delete('k'))
    await clock.advance(500)
    expect(failing.state).toBe('rejected')
    expect(store.count('release')).toBe(0)
  })

  it('leaves no mark when it was a refresh that failed: the next miss is shared as ever', async () => {
    const { a, b, c, clock, source, until } = openFleet({ ttl: '1s', staleWhileRevalidate: '100ms', lease: '10s' })
    await until(a.set('k', 'old'))
    await clock.advance(1050)
    expect(await a.getOrSet('k', source.fails(10))).toBe('old')
    await clock.advance(100)
    expect(await until(Promise.all([b, c].map(cache => cache.getOrSet('k', source.takes(100)))))).toEqual(['load 2', 'load 2'])
  })

  it('as a refresh is recorded as one that stored nothing, and pauses', async () => {
    const { a, clock, source, until } = openFleet({ ttl: '1s', staleWhileRevalidate: '1m', lease: '500ms' })
    const records = watch(a, 'refresh')
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    const skips = source.runs<string>(context => context.skip())
    for (let times = 0; times < 3; times++) {
      await a.getOrSet('k', skips)
      await clock.advance(100)
    }
    expect(records).toMatchObject([{ outcome: 'not-stored' }])
  })
})

describe('a cooldown', () => {
  it.each([
    [null, 'ERROR'],
    [{ code: 'X'.repeat(200) }, 'X'.repeat(64)],
  ])('after %o is told in a few safe characters', async (thrown, told) => {
    const { a, source, until } = openFleet({ errorCooldown: '5s' })
    await until(a.getOrSet('k', source.fails(10, thrown)).catch(() => {}))
    await expect(until(a.getOrSet('k', source.takes(10)))).rejects.toThrow(`(${told})`)
  })
})

describe('a loader', () => {
  it('is given no previous value when the stored one cannot be decoded', async () => {
    const codec = {
      name: 'picky',
      id: 200,
      serialize: (value: unknown) => Buffer.from(String(value)),
      deserialize(bytes: Buffer) {
        if (bytes[0] === 0x21) throw new SyntaxError('not for me')
        return bytes.toString()
      },
    }
    const { a, b, clock, source, until } = openFleet({ codec, ttl: '1s', staleIfError: '1m' })
    await until(b.set('k', '!'))
    await clock.advance(1500)
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 1')
    expect(source.contexts[0]!.stale).toBeUndefined()
  })

  it('that asks for its own key is told so also after another loader has ended meanwhile', async () => {
    const { a, clock, source, sleep } = openFleet()
    void a.getOrSet('other', source.takes(10))
    const call = track(
      clock,
      a.getOrSet('k', async () => {
        await sleep(50)
        return a.getOrSet('k', () => 'inner')
      }),
    )
    await clock.advance(60_000)
    expect(call).toMatchObject({ state: 'rejected', error: { code: 'LOADER_RECURSION' }, at: 50 })
  })

  it('hears why it was called off', async () => {
    const { a, b, clock, source, until } = openFleet({
      lease: '300ms',
      ttl: '1s',
      staleWhileRevalidate: '1m',
      timeout: { hard: '2s' },
    })
    await until(a.set('refreshed', 'old'))
    await clock.advance(1500)
    await a.getOrSet('refreshed', source.hangs())
    a.getOrSet('slow', source.hangs()).catch(() => {})
    const caller = new AbortController()
    a.getOrSet('left', source.hangs(), { signal: caller.signal }).catch(() => {})
    await clock.advance(50)
    caller.abort()
    await until(b.delete('refreshed'))
    await clock.advance(2000)
    expect(
      source.contexts.map(({ key, signal }) => [key, (signal.reason as Error).name, (signal.reason as Error).message]),
    ).toEqual([
      ['refreshed', 'AbortError', 'the lease was lost'],
      ['slow', 'LeaseholdError', expect.stringContaining('within 2000 ms; raise timeout.hard, or allow staleIfError')],
      ['left', 'AbortError', 'every caller has left'],
    ])
  })

  it('that is still running when the cache is closed is recorded as aborted', async () => {
    const { a, clock, source } = openFleet({ closeTimeout: '1s' })
    const records = watch(a, 'load')
    a.getOrSet('k', source.hangs()).catch(() => {})
    await clock.settle()
    void a.close()
    await clock.advance(1000)
    expect(records).toMatchObject([{ outcome: 'aborted', durationMs: 1000 }])
  })
})
