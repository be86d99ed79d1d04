import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import { answered, lostRequest, refused, slow, type ChaosCommand, type Fault } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

const down: readonly [string, () => Fault, string][] = [
  ['refuses', () => refused(), 'not-executed'],
  ['does not answer', () => lostRequest(), 'unknown'],
]

describe.each(down)('while the store %s every command', (_name, fault, outcome) => {
  it('calls are answered by the loader, once for all callers of a process', async () => {
    const { a, clock, source } = openFleet({}, fault)
    const calls = Array.from({ length: 20 }, () => track(clock, a.getOrSet('k', source.takes(200))))
    await clock.advance(150)
    calls.push(track(clock, a.getOrSet('k', source.takes(200))))
    await clock.advance(1000)
    expect(new Set(calls.map(({ value }) => value))).toEqual(new Set(['load 1']))
    expect(source.loads).toBe(1)
  })

  it('a call spends no more on it than one command', async () => {
    const { a, clock, source, until } = openFleet({}, fault)
    await until(a.getOrSet('k', source.takes(0)))
    expect(clock.now()).toBeLessThanOrEqual(100 + 1)
  })

  it('its failures are reported, and the answers marked as unleased', async () => {
    const { a, source, until } = openFleet({}, fault)
    const records = watch(a, 'store-error', 'load', 'miss')
    await until(a.getOrSet('k', source.takes(10)))
    expect(records).toMatchObject([
      { event: 'store-error', command: 'read', key: 'k', version: 0, outcome, error: expect.any(StoreError) },
      { event: 'load', leased: false, outcome: 'value' },
      { event: 'miss', outcome: 'unleased' },
    ])
  })

  it('get, getEntry and has find nothing', async () => {
    const { a, until } = openFleet({}, fault)
    expect(await until(a.get('k'))).toBeUndefined()
    expect(await until(a.getEntry('k'))).toBeUndefined()
    expect(await until(a.has('k'))).toBe(false)
  })

  it('set, delete, expire, invalidateTags and clear are deferred', async () => {
    const { a, until } = openFleet({}, fault)
    expect(await until(a.set('k', 'v'))).toBe('deferred')
    expect(await until(a.delete('k'))).toBe('deferred')
    expect(await until(a.expire('k'))).toBe('deferred')
    expect(await until(a.invalidateTags('red'))).toBe('deferred')
    expect(await until(a.clear())).toBe('deferred')
  })

  it('the loader still gets its error through, and its timeout', async () => {
    const { a, clock, source, until } = openFleet({ timeout: { hard: '1s' } }, fault)
    await expect(until(a.getOrSet('k', source.fails(10)))).rejects.toThrow('the source is down')
    await expect(until(a.getOrSet('k', source.hangs()))).rejects.toMatchObject({ code: 'LOAD_TIMEOUT' })
    expect(source.contexts[1]!.signal.aborted).toBe(true)
    // The loader still runs, and keeps its room for a while.
    expect(a.status().outageLoads.running).toBe(1)
    await clock.advance(1_000)
    expect(a.status().outageLoads.running).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  it('nothing is ever stored', async () => {
    const fleet = openFleet({}, fault)
    await fleet.until(fleet.a.getOrSet('k', fleet.source.takes(10)))
    fleet.store.script = () => undefined
    expect(await fleet.b.get('k')).toBeUndefined()
  })
})

describe('a store that fails in the midst of a miss', () => {
  const commands: readonly ChaosCommand[] = ['read', 'acquire', 'commit']

  it.each(commands.flatMap(command => down.map(([name, fault]) => [name, command, fault] as const)))(
    'and %s the %s: the call is answered all the same, within the loader and the budget',
    async (_name, command, fault) => {
      const { a, clock, source, until } = openFleet({}, call => (call.command === command ? fault() : undefined))
      expect(await until(a.getOrSet('k', source.takes(200)))).toBe('load 1')
      expect(clock.now()).toBeLessThanOrEqual(200 + 250 + 1)
    },
  )

  it('gives up the lease when the commit was refused, so that others need not wait for it to run out', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '10s' })
    store.script = ({ command, client }) => (command === 'commit' && client === 0 ? refused() : undefined)
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    const second = track(clock, b.getOrSet('k', source.takes(100)))
    await clock.advance(200)
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
  })

  it('and loses the release of a failed load: the lease runs out by itself', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '1s' })
    store.script = ({ command }) => (command === 'release' ? lostRequest() : undefined)
    const first = track(clock, a.getOrSet('k', source.fails(100)))
    const second = track(clock, b.getOrSet('k', source.takes(100)))
    await clock.advance(100)
    expect(first.state).toBe('rejected')
    await clock.advance(1200)
    expect(second.value).toBe('load 2')
  })
})

describe('a slow store', () => {
  it('is given its whole timeout, and a call no more than its budget', async () => {
    const { a, clock, source, store, until } = openFleet({ commandTimeout: '100ms', storeBudget: '250ms' }, () => slow(30, 30))
    expect(await until(a.getOrSet('k', source.takes(500)))).toBe('load 1')
    expect(clock.now()).toBe(500 + 3 * 60)
    expect(store.calls.map(({ command }) => command)).toContain('commit')
    expect(await until(a.get('k'))).toBe('load 1')
  })
})

describe('a full store', () => {
  it('answers from the loader when it has no room for a lease', async () => {
    const { a, source, until } = openFleet({}, ({ command }) => (command === 'acquire' ? answered({ kind: 'full' }) : undefined))
    const records = watch(a, 'miss')
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 1')
    expect(records).toMatchObject([{ outcome: 'unleased' }])
  })

  it('answers all who joined when it has no room for the value', async () => {
    const { a, clock, source, store } = openFleet({}, ({ command }) => (command === 'commit' ? answered('full') : undefined))
    const records = watch(a, 'commit')
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    expect([first.value, joined.value]).toEqual(['load 1', 'load 1'])
    expect(records).toMatchObject([{ outcome: 'full' }])
    expect(store.count('commit')).toBe(1)
  })

  it('says of a set that there was no room', async () => {
    const { a, until } = openFleet({}, ({ command }) => (command === 'put' ? answered('full') : undefined))
    const records = watch(a, 'set')
    await until(a.set('k', 'v'))
    expect(records).toMatchObject([{ outcome: 'full' }])
  })
})

describe('in an outage, after an invalidation by this process', () => {
  it('a call does not join an unleased load that began before it', async () => {
    const { a, clock, source, store, until } = openFleet({}, ({ command }) => (command === 'remove' ? undefined : refused()))
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    await until(a.delete('k'))
    const second = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(200)
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
    expect(store.count('acquire')).toBe(0)
  })
})

describe('a store with a bug', () => {
  it.each(['read', 'acquire', 'commit', 'release'] as const)(
    'that throws something of its own on %s makes the call reject',
    async command => {
      const { a, source, until } = openFleet({}, call => (call.command === command ? refused(new TypeError('a bug')) : undefined))
      const loader = command === 'release' ? source.fails(10) : source.takes(10)
      await expect(until(a.getOrSet('k', loader))).rejects.toThrow(command === 'release' ? 'the source is down' : 'a bug')
    },
  )

  it('that throws something of its own on a renewal is named in a warning and does no harm', async () => {
    const warned = new Promise<Error>(resolve => process.once('warning', resolve))
    const { a, source, until } = openFleet({ lease: '300ms' }, ({ command }) =>
      command === 'renew' ? refused(new TypeError('a bug')) : undefined,
    )
    expect(await until(a.getOrSet('k', source.takes(150)))).toBe('load 1')
    expect((await warned).message).toBe("the store threw while it renewed the lease of 'k': TypeError: a bug")
  })
})
