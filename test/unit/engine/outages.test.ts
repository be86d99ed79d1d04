import { describe, expect, it } from 'vitest'
import { refused, slow, type ChaosCommand, type ChaosScript } from '../../../src/testing/chaos-store.ts'
import type { Cache } from '../../../src/core/cache.ts'
import type { Loader, LoaderContext } from '../../../src/core/flights/loader-context.ts'
import { ManySource } from '../batches/stage.ts'
import { openFleet, track, watch } from './stage.ts'

/** Nothing gets through. */
const gone: ChaosScript = () => refused()
/** Only invalidations do not get through. */
const only =
  (...commands: readonly ChaosCommand[]): ChaosScript =>
  ({ command }) =>
    commands.includes(command as ChaosCommand) ? refused() : undefined

describe('while the store does not answer, a value that was loaded', () => {
  it('is answered for the outage ttl: a hot key costs one load per process and outage ttl', async () => {
    const { a, b, clock, source, until } = openFleet({ outageTtl: '1s' }, gone)
    const records = watch(a, 'miss')
    for (let call = 0; call < 50; call++) {
      await until(a.getOrSet('k', source.takes(1)))
      await clock.advance(99)
    }
    expect(source.loads).toBe(5)
    expect(records.slice(0, 3).map(({ outcome }) => outcome)).toEqual(['unleased', 'kept', 'kept'])
    await until(b.getOrSet('k', source.takes(1)))
    expect(source.loads).toBe(6)
  })

  it('is answered no longer than it is fresh', async () => {
    const { a, clock, source, until } = openFleet({ outageTtl: '1s', ttl: '200ms' }, gone)
    await until(a.getOrSet('k', source.takes(1)))
    await clock.advance(200)
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 2')
  })

  it('is not kept when the outage ttl is 0, or when the loader skips or returns nothing', async () => {
    const off = openFleet({ outageTtl: 0 }, gone)
    for (let call = 0; call < 3; call++) await off.until(off.a.getOrSet('k', off.source.takes(1)))
    expect(off.source.loads).toBe(3)
    const { a, source, until } = openFleet({}, gone)
    const skipping = source.runs<string>(context => context.skip())
    for (let call = 0; call < 3; call++) await until(a.getOrSet('k', skipping))
    expect(source.loads).toBe(3)
    for (let call = 0; call < 3; call++) await until(a.getOrSet('nothing', source.returns(1, undefined)))
    expect(source.loads).toBe(6)
  })

  it('stands in at once within staleIfError, while one load behind brings a new one', async () => {
    const { a, clock, source, until } = openFleet({ outageTtl: '1s', staleIfError: '1m' }, gone)
    const records = watch(a, 'stale')
    await until(a.getOrSet('k', source.takes(10)))
    await clock.advance(5_000)
    const calls = [1, 2, 3].map(() => track(clock, a.getOrSet('k', source.takes(10))))
    await clock.settle()
    expect(calls.map(({ value }) => value)).toEqual(['load 1', 'load 1', 'load 1'])
    expect(records).toMatchObject([{ reason: 'store-failed', staleMs: 4_000 }, {}, {}])
    await clock.advance(10)
    expect(source.loads).toBe(2)
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 2')
  })

  it('stands in for a load that fails only as long as staleIfError says', async () => {
    const { a, clock, source, until } = openFleet({ outageTtl: '1s', staleIfError: '10s' }, gone)
    await until(a.getOrSet('k', source.takes(1)))
    await clock.advance(10_500)
    expect(await until(a.getOrSet('k', source.fails(1)))).toBe('load 1')
    await clock.advance(1_000)
    await expect(until(a.getOrSet('k', source.fails(1)))).rejects.toThrow('the source is down')
  })

  it.each(['delete', 'set'] as const)('ends with a %s of this process, even while it is being loaded', async operation => {
    const { a, clock, source, until } = openFleet({}, gone)
    const change = (): Promise<unknown> => (operation === 'delete' ? a.delete('k') : a.set('k', 'set here'))
    const next = operation === 'delete' ? 'load 2' : 'set here'
    await until(a.getOrSet('k', source.takes(10)))
    expect(await until(change())).toBe('deferred')
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe(next)
    const running = track(clock, a.getOrSet('slow', source.takes(100)))
    await clock.advance(50)
    await until(operation === 'delete' ? a.delete('slow') : a.set('slow', 'set here'))
    await clock.advance(100)
    expect(running.value).toMatch(/^load/)
    expect(await until(a.getOrSet('slow', source.takes(10)))).not.toBe(running.value)
  })

  it('is never stored, and no longer used once the store answers', async () => {
    const { a, b, source, store, until } = openFleet({}, gone)
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 1')
    store.script = () => undefined
    expect(await b.get('k')).toBeUndefined()
    expect(await until(b.getOrSet('k', source.takes(1)))).toBe('load 2')
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 2')
    store.script = gone
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 3')
  })

  it('stands in no longer than its outage ttl once the store was up again: others may have revoked it', async () => {
    const { a, clock, source, store, until } = openFleet({ staleIfError: '1h', outageTtl: '1s' }, gone)
    await until(a.getOrSet('k', source.takes(1)))
    store.setReady(true)
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 1')
    await clock.advance(1_000)
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 2')
  })

  it('is kept also when the store went while it was loaded under a lease', async () => {
    const { a, source, store, until } = openFleet()
    const loader = source.runs<string>(() => void (store.script = gone))
    expect(await until(a.getOrSet('k', loader))).toBe('load 1')
    expect(await until(a.getOrSet('k', loader))).toBe('load 1')
  })
})

describe('while the store does not answer, loads of different keys', () => {
  it('run maxConcurrentLoads at once; the others wait their turn', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 3 }, gone)
    const calls = Array.from({ length: 10 }, (_, key) => track(clock, a.getOrSet(`k${key}`, source.takes(100))))
    await clock.advance(50)
    expect(source.running).toBe(3)
    expect(a.status().outageLoads).toEqual({ running: 3, queued: 7 })
    await clock.advance(400)
    expect(calls.every(({ state }) => state === 'fulfilled')).toBe(true)
    expect(source.mostAtOnce).toBe(3)
    expect(a.status().outageLoads).toEqual({ running: 0, queued: 0 })
  })

  it('are refused at once when they would not be served in time, and served again when the rush is over', async () => {
    const { a, clock, source, until } = openFleet({ maxConcurrentLoads: 1, timeout: { hard: '1s' } }, gone)
    // Teaches it how long a load takes.
    await until(a.getOrSet('first', source.takes(100)))
    const calls = Array.from({ length: 30 }, (_, key) => track(clock, a.getOrSet(`k${key}`, source.takes(100))))
    await clock.settle()
    const refusals = calls.filter(({ state }) => state === 'rejected')
    expect(refusals.length).toBeGreaterThan(15)
    for (const { error } of refusals) expect(error).toMatchObject({ code: 'OVERLOADED', option: 'maxConcurrentLoads' })
    await clock.advance(1_500)
    expect(calls.filter(({ state }) => state === 'fulfilled').length).toBeGreaterThan(8)
    expect(source.mostAtOnce).toBe(1)
    expect(await until(a.getOrSet('later', source.takes(100)))).toMatch(/^load/)
  })

  it('are answered at the rate of the source while more are wanted than it can do, and none begins that would end too late', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 10, timeout: { hard: '3s' } }, gone)
    const calls = []
    for (let call = 0; call < 1_200; call++) {
      calls.push({ at: clock.now(), heard: track(clock, a.getOrSet(`k${call}`, source.takes(500))) })
      await clock.advance(10)
    }
    await clock.advance(3_000)
    const answered = calls.filter(({ heard }) => heard.state === 'fulfilled')
    const begun = calls[0]!.at
    for (let second = 1; second < 12; second++) {
      const meanwhile = answered.filter(({ heard }) => Math.floor((heard.at! - begun) / 1_000) === second)
      expect(meanwhile.length).toBeGreaterThanOrEqual(19)
    }
    expect(source.loads).toBe(answered.length)
    const turnedAway = calls.filter(({ heard }) => heard.state === 'rejected')
    expect(new Set(turnedAway.map(({ heard }) => (heard.error as { code: string }).code))).toEqual(new Set(['OVERLOADED']))
    // Before the first load has ended nobody knows how long one takes.
    expect(turnedAway.filter(({ at, heard }) => at - begun > 500 && heard.at !== at)).toEqual([])
    expect(turnedAway.length + answered.length).toBe(1_200)
  })

  it('that wait are refused before they begin once they would end too late', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 1, timeout: { hard: '1s' } }, gone)
    void a.getOrSet('first', source.takes(800))
    const waiting = track(clock, a.getOrSet('k', source.takes(800)))
    await clock.advance(800)
    expect(waiting).toMatchObject({ state: 'rejected', error: { code: 'OVERLOADED' } })
    expect(source.loads).toBe(1)
  })

  it('begin for a caller who joined late, when the first will have left by the end', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 1, timeout: { hard: '1s' } }, gone)
    void a.getOrSet('first', source.takes(800))
    const early = track(clock, a.getOrSet('k', source.takes(800)))
    await clock.advance(700)
    const late = track(clock, a.getOrSet('k', source.takes(800)))
    await clock.advance(900)
    expect(early).toMatchObject({ state: 'rejected', error: { code: 'LOAD_TIMEOUT' }, at: late.at! - 600 })
    expect(late.value).toBe('load 2')
  })

  it('keep their room past the hard timeout until the loader has ended, whose late value is kept', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 2, timeout: { hard: '500ms' } }, gone)
    const calls = ['k1', 'k2'].map(key => track(clock, a.getOrSet(key, source.takes(900))))
    await clock.advance(500)
    expect(calls).toMatchObject([{ error: { code: 'LOAD_TIMEOUT' } }, { error: { code: 'LOAD_TIMEOUT' } }])
    const next = track(clock, a.getOrSet('k3', source.takes(10)))
    await clock.advance(399)
    expect(next.state).toBe('pending')
    expect(a.status().outageLoads).toEqual({ running: 2, queued: 1 })
    await clock.advance(1)
    expect(await a.getOrSet('k1', source.takes(900))).toBe('load 1')
    expect(source.mostAtOnce).toBe(2)
  })

  it('give their room up one hard timeout later when the loader hangs', async () => {
    const { a, clock, source, until } = openFleet({ maxConcurrentLoads: 1, timeout: { hard: '500ms' } }, gone)
    track(clock, a.getOrSet('k', source.hangs()))
    await clock.advance(999)
    expect(a.status().outageLoads.running).toBe(1)
    await clock.advance(1)
    expect(a.status().outageLoads.running).toBe(0)
    expect(await until(a.getOrSet('later', source.takes(10)))).toBe('load 2')
  })

  it('do not replace what a later load has brought', async () => {
    const { a, clock, source, until } = openFleet({ timeout: { hard: '500ms' } }, gone)
    track(clock, a.getOrSet('k', source.takes(900)))
    await clock.advance(600)
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 2')
    await clock.advance(500)
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 2')
  })

  it('do not begin for callers who have left', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 1 }, gone)
    const leaving = new AbortController()
    void a.getOrSet('k1', source.takes(100))
    const left = track(clock, a.getOrSet('k2', source.takes(100), { signal: leaving.signal }))
    await clock.advance(10)
    leaving.abort('left')
    await clock.advance(200)
    expect(left.error).toBe('left')
    expect(source.loads).toBe(1)
  })

  it('do not wait for room when a load that has it waits for them', async () => {
    const { a, source, until } = openFleet({ maxConcurrentLoads: 1 }, gone)
    const outer = source.runs<string>(async () => (await a.getOrSet('inner', source.takes(10))) + ' inside')
    expect(await until(a.getOrSet('outer', outer))).toBe('load 2 inside')
  })

  it('do not wait for each other when they are loaded together', async () => {
    const { a, until } = openFleet({ maxConcurrentLoads: 2 }, gone)
    const keys = ['k1', 'k2', 'k3', 'k4']
    const load = (): Promise<unknown[]> => a.getOrSetMany(keys, missing => missing.map(key => `of ${key}`))
    expect(await until(load())).toEqual(['of k1', 'of k2', 'of k3', 'of k4'])
  })

  it('wait for room no longer once a load that has it waits for them', async () => {
    const { a, clock, source, sleep } = openFleet({ maxConcurrentLoads: 1 }, gone)
    const outer = source.runs<string>(async () => {
      await sleep(50)
      return (await a.getOrSet('inner', source.takes(10))) + ' inside'
    })
    const outside = track(clock, a.getOrSet('outer', outer))
    const inside = track(clock, a.getOrSet('inner', source.takes(10)))
    await clock.advance(60)
    expect([outside.value, inside.value]).toEqual(['load 2 inside', 'load 2'])
    expect(a.status().outageLoads.running).toBe(0)
  })

  it('are not bounded while the store answers', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 1 })
    for (let key = 0; key < 10; key++) void a.getOrSet(`k${key}`, source.takes(100))
    await clock.advance(50)
    expect(source.running).toBe(10)
  })
})

describe('while the store does not answer, the load of a batch', () => {
  it('takes one place of maxConcurrentLoads, however many keys it is for', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 5 }, gone)
    const calls = Array.from({ length: 30 }, (_, batch) => {
      const keys = [`${batch}a`, `${batch}b`, `${batch}c`]
      return track(
        clock,
        a.getOrSetMany(keys, async () => await source.returns(100, keys)({} as LoaderContext)),
      )
    })
    await clock.advance(50)
    expect(a.status().outageLoads).toEqual({ running: 5, queued: 25 })
    await clock.advance(550)
    expect(calls.map(({ value }) => value?.join(' '))).toEqual(calls.map((_, batch) => `${batch}a ${batch}b ${batch}c`))
    expect(source).toMatchObject({ loads: 30, mostAtOnce: 5 })
    expect(a.status().outageLoads).toEqual({ running: 0, queued: 0 })
  })

  it('does not wait for a batch that has keys of it', async () => {
    const { a, clock } = openFleet({ maxConcurrentLoads: 1 }, gone)
    const many = new ManySource(clock)
    const calls = ['ab', 'bc', 'ca', 'dab', 'bd'].map(keys => track(clock, a.getOrSetMany(keys.split(''), many.takes(10))))
    await clock.advance(100)
    expect(calls.map(({ state }) => state)).toEqual(calls.map(() => 'fulfilled'))
    expect(many.asked.map(keys => keys.join(''))).toEqual(['ab', 'c', 'd'])
  })

  it('is refused with all its keys when it would not end in time', async () => {
    const { a, clock } = openFleet({ maxConcurrentLoads: 1, timeout: { hard: '1s' } }, gone)
    const many = new ManySource(clock)
    void a.getOrSetMany(['first'], many.takes(800))
    const waiting = track(clock, a.getOrSetManySettled(['k1', 'k2'], many.takes(800)))
    await clock.advance(800)
    expect(waiting.value).toMatchObject([
      { reason: { code: 'OVERLOADED', key: 'k1' } },
      { reason: { code: 'OVERLOADED', key: 'k2' } },
    ])
    expect(many.asked).toEqual([['first']])
  })

  it('gives its place up one hard timeout late when it hangs', async () => {
    const { a, clock, source, until } = openFleet({ maxConcurrentLoads: 1, timeout: { hard: '500ms' } }, gone)
    const hung = track(
      clock,
      a.getOrSetManySettled(['k1', 'k2'], () => new Promise<never>(() => {})),
    )
    await clock.advance(999)
    expect(hung.value).toMatchObject([{ reason: { code: 'LOAD_TIMEOUT' } }, { reason: { code: 'LOAD_TIMEOUT' } }])
    expect(a.status().outageLoads.running).toBe(1)
    await clock.advance(1)
    expect(a.status().outageLoads.running).toBe(0)
    expect(await until(a.getOrSet('later', source.takes(10)))).toBe('load 1')
  })

  it('does not wait for room inside a loader that has it', async () => {
    const { a, clock, source, until } = openFleet({ maxConcurrentLoads: 1 }, gone)
    const many = new ManySource(clock)
    const outer = source.runs<string>(async () => (await a.getOrSetMany(['k1', 'k2'], many.takes(10))).join(' and '))
    expect(await until(a.getOrSet('outer', outer))).toBe('k1 #1 and k2 #1')
  })

  it('does not wait for a key that a loader waits for, and which goes alone', async () => {
    const { a, clock, source, sleep } = openFleet({ maxConcurrentLoads: 1 }, gone)
    const many = new ManySource(clock)
    const outer = source.runs<string>(async () => {
      await sleep(50)
      return a.getOrSet('k1', source.takes(10))
    })
    const outside = track(clock, a.getOrSet('outer', outer))
    const batch = track(clock, a.getOrSetMany(['k1', 'k2', 'k3'], many.takes(40)))
    await clock.advance(50)
    expect(many.asked).toEqual([['k1']])
    await clock.advance(41)
    expect(outside.value).toBe('k1 #1')
    await clock.advance(40)
    expect(batch.value).toEqual(['k1 #1', 'k2 #2', 'k3 #2'])
    expect(a.status().outageLoads).toEqual({ running: 0, queued: 0 })
  })

  it('leaves without the keys that the store does not coordinate while there is no room for them, and else with them', async () => {
    const { a, clock, source } = openFleet({ maxConcurrentLoads: 1 }, ({ command, key }) =>
      command === 'acquire' && key !== 'leased' ? refused() : undefined,
    )
    const many = new ManySource(clock)
    void a.getOrSet('other', source.takes(100))
    const keys = ['leased', 'k1', 'k2']
    const crowded = track(clock, a.getOrSetMany(keys, many.takes(10)))
    await clock.advance(50)
    expect(many.asked).toEqual([['leased']])
    await clock.advance(100)
    expect(crowded.value).toEqual(['leased #1', 'k1 #2', 'k2 #2'])
    void a.getOrSetMany(keys, many.takes(10), { forceFresh: true })
    await clock.advance(50)
    expect(many.asked.slice(2).map(asked => asked.toSorted())).toEqual([['k1', 'k2', 'leased']])
  })
})

describe('a delete that the store could not be told', () => {
  it('holds for this process at once: it loads, and does not believe the store', async () => {
    const { a, b, source, store, until } = openFleet()
    await until(a.set('k', 'old'))
    store.script = only('remove')
    expect(await until(a.delete('k'))).toBe('deferred')
    expect(await until(a.get('k'))).toBeUndefined()
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 1')
    expect(await until(b.get('k'))).toBe('old')
  })

  it('holds for who joins a load without having read: the deleted value does not stand in when it fails', async () => {
    const { a, clock, source, store, until } = openFleet({ staleIfError: '1h' })
    await until(a.set('k', 'old'))
    // The store may be read again, and has not been told yet.
    store.script = only('remove', 'acquire')
    await until(a.delete('k'))
    const calls = [track(clock, a.getOrSet('k', source.fails(50)))]
    await clock.advance(10)
    calls.push(track(clock, a.getOrSet('k', source.fails(50))))
    await clock.advance(50)
    expect(calls).toMatchObject([{ error: { message: 'the source is down' } }, { error: { message: 'the source is down' } }])
  })

  it('holds for a load that waits for another process: who joins it is not given what that one loads', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    const holder = track(clock, b.getOrSet('k', source.takes(200)))
    await clock.advance(20)
    const waiting = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(20)
    store.script = ({ command, client }) => (command === 'remove' && client === 0 ? refused() : undefined)
    expect(await until(a.delete('k'))).toBe('deferred')
    const after = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(500)
    expect([holder.value, waiting.state]).toEqual(['load 1', 'fulfilled'])
    expect(after.value).toBe('load 2')
  })

  it('is told as soon as the store takes it, and then the store is believed again', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    const records = watch(a, 'journal')
    await until(a.set('k', 'old'))
    store.script = only('remove')
    await until(a.delete('k'))
    await clock.advance(1_000)
    expect(a.status().deferredInvalidations).toBe(1)
    store.script = () => undefined
    await clock.advance(300)
    expect(a.status().deferredInvalidations).toBe(0)
    expect(await until(b.get('k'))).toBeUndefined()
    expect(await until(b.getOrSet('k', source.takes(1)))).toBe('load 1')
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 1')
    expect(records).toMatchObject([
      { change: 'deferred', count: 1, waiting: 1 },
      { change: 'replayed', count: 1, waiting: 0 },
    ])
  })

  it('covers the neighbouring versions', async () => {
    const { a, store, until } = openFleet()
    await until(a.set('k', 'next', { version: 3 }))
    store.script = only('remove')
    await until(a.delete('k', { version: 2 }))
    expect(await until(a.get('k', { version: 3 }))).toBeUndefined()
    expect(await until(a.get('k', { version: 4 }))).toBeUndefined()
  })

  it('is told once however often it was repeated, and not at all once another write of the key was taken', async () => {
    const { a, clock, store, until } = openFleet()
    store.script = only('remove')
    for (let again = 0; again < 5; again++) await until(a.delete('k'))
    expect(a.status().deferredInvalidations).toBe(1)
    expect(await until(a.set('k', 'new'))).toBe('applied')
    expect(a.status().deferredInvalidations).toBe(0)
    store.script = () => undefined
    const before = store.count('remove')
    await clock.advance(5_000)
    expect(store.count('remove')).toBe(before)
    expect(await until(a.get('k'))).toBe('new')
  })

  it('is not taken for told by the reply to an earlier one', async () => {
    const { a, clock, store, until } = openFleet({ commandTimeout: '1s', storeBudget: '2s' })
    store.script = ({ command, nth }) =>
      command !== 'remove' ? undefined : nth === 1 ? { kind: 'slow', requestMs: 0, replyMs: 500 } : refused()
    const first = track(clock, a.delete('k'))
    await clock.advance(100)
    expect(await until(a.delete('k'))).toBe('deferred')
    await clock.advance(300)
    expect(first.state).toBe('pending')
    await clock.advance(200)
    expect(first.value).toBe('applied')
    expect(a.status().deferredInvalidations).toBe(1)
  })

  it('becomes a clear with all the others when there is no room for more: nothing that was promised is forgotten', async () => {
    const { a, b, clock, store, until } = openFleet()
    await until(b.set('k1', 'old'))
    await until(b.set('other', 'value'))
    store.script = gone
    const records = watch(a, 'journal')
    await until(a.delete(Array.from({ length: 10_000 }, (_, key) => `k${key}`)))
    expect(a.status().deferredInvalidations).toBe(10_000)
    expect(await until(a.delete('k1'))).toBe('deferred')
    expect(a.status().deferredInvalidations).toBe(10_000)
    records.length = 0
    expect(await until(a.delete('one more'))).toBe('deferred')
    expect(records).toMatchObject([
      { change: 'deferred', count: 1, waiting: 1 },
      { change: 'overflowed', count: 10_000, waiting: 1 },
    ])
    store.script = only('clear')
    expect(await until(a.get('other'))).toBeUndefined()
    store.script = () => undefined
    await clock.advance(500)
    expect(a.status().deferredInvalidations).toBe(0)
    expect(store.count('remove')).toBeLessThan(20_100)
    expect(await until(b.get('k1'))).toBeUndefined()
    expect(await until(b.get('other'))).toBeUndefined()
  })

  it('is told in one last try when the cache closes', async () => {
    const { a, b, store, until } = openFleet()
    await until(a.set('k', 'old'))
    store.script = only('remove')
    await until(a.delete('k'))
    store.script = () => undefined
    await until(a.close())
    expect(await until(b.get('k'))).toBeUndefined()
  })
})

describe('when another server answers, which may have lost what was acknowledged', () => {
  it('the invalidations of the last minute are told again, and their keys not believed before', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    await until(a.set('early', 'v'))
    await clock.advance(61_000)
    await until(a.delete('k'))
    // As a replica would have it that had not heard of the delete.
    await until(b.set('k', 'lost and found'))
    const records = watch(a, 'journal')
    store.script = only('remove')
    store.changeServer()
    expect(await until(a.get('k'))).toBeUndefined()
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('load 1')
    store.script = () => undefined
    await clock.advance(500)
    expect(await until(b.getOrSet('k', source.takes(1)))).toBe('load 2')
    expect(records.map(({ change, count }) => `${change} ${count}`)).toEqual(['doubted 1', 'replayed 1'])
    expect(a.status().deferredInvalidations).toBe(0)
  })

  it.each<readonly [string, (cache: Cache, load: Loader<string>) => Promise<unknown>, unknown]>([
    ['getOrSet', (cache, load) => cache.getOrSet('k', load), 'load 1'],
    ['get', cache => cache.get('k'), undefined],
    ['getEntry', cache => cache.getEntry('k'), undefined],
    ['getMany', cache => cache.getMany(['k']), [undefined]],
  ])('a value that %s was reading across that moment is no answer', async (_name, ask, expected) => {
    const { a, clock, source, store, until } = openFleet()
    await until(a.set('k', 'old'))
    store.script = ({ command }) => (command === 'read' ? slow(0, 50) : undefined)
    const reading = track(clock, ask(a, source.takes(1)))
    await clock.advance(20)
    store.changeServer()
    await clock.advance(100)
    expect(reading).toMatchObject({ state: 'fulfilled', value: expected })
  })

  it('a value that was to stand in, and was read across that moment, does not', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    await until(a.delete('k'))
    const failing = source.fails(30)
    const asked = [0, 1].map(() => track(clock, a.getOrSet('k', failing, { staleIfError: '1h' })))
    await clock.advance(20)
    // As a replica would have it that had not heard of the delete.
    await until(b.set('k', 'lost and found', { staleIfError: '1h' }))
    store.script = ({ command }) => (command === 'read' ? slow(0, 50) : undefined)
    await clock.advance(30)
    store.changeServer()
    await clock.advance(200)
    expect(asked.map(({ state }) => state)).toEqual(['rejected', 'rejected'])
  })

  it.each<readonly [string, (cache: Cache, load: Loader<string>) => Promise<unknown>, unknown]>([
    ['getOrSet', (cache, load) => cache.getOrSet('k', load), 'load 1'],
    ['get', cache => cache.get('k'), undefined],
    ['getMany', cache => cache.getMany(['k']), [undefined]],
  ])('tags that %s was looking up across that moment are not believed', async (_name, ask, expected) => {
    const { a, b, clock, source, store, until } = openFleet()
    await until(a.invalidateTags('red'))
    await until(b.set('k', 'lost and found', { tags: ['red'] }))
    await until(b.invalidateTags('blue'))
    store.script = ({ command }) => (command === 'newest-tag' ? slow(0, 50) : undefined)
    const asking = track(clock, ask(a, source.takes(1)))
    await clock.advance(20)
    store.changeServer()
    await clock.advance(200)
    expect(asking).toMatchObject({ state: 'fulfilled', value: expected })
  })

  it('a value that came with the answer to an acquire across that moment is none either', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    store.script = ({ command, client }) => (command === 'acquire' && client === 0 ? slow(10, 50) : undefined)
    const asked = track(clock, a.getOrSet('k', source.takes(1)))
    await clock.advance(5)
    await until(b.set('k', 'set meanwhile'))
    await clock.advance(15)
    store.changeServer()
    await clock.advance(100)
    expect(asked.value).toBe('load 1')
  })
})
