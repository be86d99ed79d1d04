import { describe, expect, it } from 'vitest'
import type { CacheEventName } from '../../../src/core/events.ts'
import type { StoreProvider } from '../../../src/core/ports.ts'
import { createCache } from '../../../src/create-cache.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { answered, chaosStore, refused, slow } from '../../../src/testing/chaos-store.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import { openFleet, sleep, watch } from './stage.ts'

const names: readonly CacheEventName[] = [
  'hit',
  'lookup',
  'miss',
  'stale',
  'wait',
  'load',
  'commit',
  'renewal',
  'lost',
  'refresh',
  'set',
  'invalidate',
  'encode-error',
  'decode-error',
  'store-error',
  'connection',
]

const start = Date.UTC(2026, 0, 1)
const k = { key: 'k', version: 0 }
/** An entry is a header and, under this codec, its JSON. */
const codec = 'json'
const payloadBytes = JSON.stringify('load 1').length
const bytes = 76 + payloadBytes

describe('the records', () => {
  it('of a miss and a hit', async () => {
    const { a, clock, source, until } = openFleet({ codec, ttl: '10s' })
    const records = watch(a, ...names)
    await until(a.getOrSet('k', source.takes(200)))
    await clock.advance(1000)
    await a.getOrSet('k', source.takes(200))
    expect(records).toStrictEqual([
      { event: 'connection', at: start, part: 'store', state: 'up' },
      { event: 'connection', at: start, part: 'bus', state: 'up' },
      { event: 'load', ...k, at: start + 200, outcome: 'value', durationMs: 200, leased: true, background: false },
      { event: 'commit', ...k, at: start + 200, outcome: 'stored', bytes, payloadBytes },
      { event: 'miss', ...k, at: start + 200, outcome: 'loaded', durationMs: 200 },
      { event: 'hit', ...k, at: start + 1200, from: 'store', ageMs: 1000, remainingMs: 9000, bytes, durationMs: 0 },
    ])
  })

  it('of waiting for another process', async () => {
    const { a, b, clock, source, until } = openFleet()
    void a.getOrSet('k', source.takes(200))
    await clock.advance(50)
    const records = watch(b, ...names)
    await until(b.getOrSet('k', source.takes(200)))
    expect(records).toEqual([
      { event: 'wait', ...k, at: start + 200, waitedMs: 150, outcome: 'value' },
      { event: 'miss', ...k, at: start + 200, outcome: 'waited', durationMs: 150 },
    ])
  })

  it('of a failed load, and of one that a stale value stood in for', async () => {
    const { a, clock, source, until } = openFleet({ codec, ttl: '1s', staleIfError: '1m', lease: '100ms' })
    await clock.settle()
    const error = new Error('no')
    const records = watch(a, ...names.filter(name => name !== 'renewal'))
    await until(a.getOrSet('k', source.fails(200, error)).catch(() => {}))
    await until(a.set('k', 'load 1'))
    await clock.advance(1500)
    await until(a.getOrSet('k', source.fails(200, error)))
    const load = { event: 'load', ...k, outcome: 'failed', durationMs: 200, leased: true, background: false, error }
    expect(records).toEqual([
      { ...load, at: start + 200 },
      { event: 'miss', ...k, at: start + 200, outcome: 'failed', durationMs: 200, error },
      { event: 'set', ...k, at: start + 200, outcome: 'stored', bytes, payloadBytes, durationMs: 0 },
      { ...load, at: start + 1900 },
      { event: 'stale', ...k, at: start + 1900, reason: 'load-failed', staleMs: 700, bytes, durationMs: 200 },
    ])
  })

  it('of a refresh', async () => {
    const { a, clock, source, until } = openFleet({ codec, ttl: '1s', staleWhileRevalidate: '1m' })
    await until(a.set('k', 'load 1'))
    await clock.advance(1500)
    const records = watch(a, ...names)
    await a.getOrSet('k', source.takes(100))
    await clock.advance(100)
    expect(records).toEqual([
      { event: 'stale', ...k, at: start + 1500, reason: 'revalidate', staleMs: 500, bytes, durationMs: 0 },
      { event: 'load', ...k, at: start + 1600, outcome: 'value', durationMs: 100, leased: true, background: true },
      { event: 'commit', ...k, at: start + 1600, outcome: 'stored', bytes, payloadBytes },
      { event: 'refresh', ...k, at: start + 1600, reason: 'stale', outcome: 'refreshed' },
    ])
  })

  it('of a delete, an expire, and the load that they revoked', async () => {
    const { a, b, clock, source, until } = openFleet({ codec, lease: '300ms' })
    void a.getOrSet('k', source.takes(200))
    await clock.advance(50)
    const records = watch(a, ...names)
    const elsewhere = watch(b, ...names)
    await until(b.delete('k'))
    await until(b.expire('k'))
    await clock.advance(150)
    expect(elsewhere).toEqual([
      { event: 'invalidate', ...k, at: start + 50, operation: 'delete', outcome: 'applied', durationMs: 0 },
      { event: 'invalidate', ...k, at: start + 50, operation: 'expire', outcome: 'applied', durationMs: 0 },
    ])
    expect(records).toEqual([
      { event: 'renewal', ...k, at: start + 100, outcome: 'lost' },
      { event: 'lost', ...k, at: start + 100, heldMs: 100 },
      { event: 'load', ...k, at: start + 200, outcome: 'value', durationMs: 200, leased: true, background: false },
      { event: 'commit', ...k, at: start + 200, outcome: 'lost', bytes, payloadBytes },
      { event: 'miss', ...k, at: start + 200, outcome: 'loaded', durationMs: 200 },
    ])
  })

  it('of a store that fails', async () => {
    const { a, clock, source, until } = openFleet({}, ({ command }) => (command === 'read' ? refused() : undefined))
    await clock.settle()
    const records = watch(a, ...names)
    await until(a.getOrSet('k', source.takes(100)))
    expect(records).toEqual([
      {
        event: 'store-error',
        ...k,
        at: start,
        command: 'read',
        code: 'STORE_UNAVAILABLE',
        outcome: 'not-executed',
        error: expect.objectContaining({ code: 'STORE_UNAVAILABLE' }),
      },
      { event: 'load', ...k, at: start + 100, outcome: 'value', durationMs: 100, leased: false, background: false },
      { event: 'miss', ...k, at: start + 100, outcome: 'unleased', durationMs: 100 },
    ])
  })

  it('of bytes that are no entry', async () => {
    const { a, clock, until } = openFleet({}, ({ command }) =>
      command === 'read' ? answered(Buffer.from('foreign')) : undefined,
    )
    await clock.settle()
    const records = watch(a, ...names)
    await until(a.get('k'))
    expect(records).toEqual([
      { event: 'decode-error', ...k, at: start, reason: 'foreign', bytes: 7 },
      { event: 'lookup', ...k, at: start, operation: 'get', outcome: 'absent', from: 'store', bytes: 0, durationMs: 0 },
    ])
  })

  it('of looking without loading', async () => {
    const { a, clock, until } = openFleet({ codec, ttl: '1s', staleIfError: '1m' })
    await until(a.set('k', 'load 1'))
    const records = watch(a, ...names)
    await until(a.get('k'))
    await clock.advance(1500)
    await until(a.getEntry('k'))
    await until(a.has('k'))
    const lookup = { event: 'lookup', ...k, from: 'store', bytes, durationMs: 0 }
    expect(records).toEqual([
      { ...lookup, at: start, operation: 'get', outcome: 'fresh' },
      { ...lookup, at: start + 1500, operation: 'getEntry', outcome: 'stale' },
      { ...lookup, at: start + 1500, operation: 'has', outcome: 'stale' },
    ])
  })

  it('of values that the codec cannot write', async () => {
    const { a, until } = openFleet({ codec })
    const records = watch(a, 'encode-error')
    await until(a.set('k', () => {}).catch(() => {}))
    await until(a.getOrSet('k', () => () => {}).catch(() => {}))
    const error = expect.objectContaining({ code: 'UNSERIALIZABLE_VALUE' }) as unknown
    expect(records).toEqual([
      { event: 'encode-error', ...k, at: start, operation: 'set', error },
      { event: 'encode-error', ...k, at: start, operation: 'load', error },
    ])
  })

  it('of renewals', async () => {
    const { a, clock, source, until } = openFleet({ lease: '300ms' }, ({ command, nth }) =>
      command === 'renew' && nth === 2 ? refused() : undefined,
    )
    await clock.settle()
    const records = watch(a, 'renewal')
    await until(a.getOrSet('k', source.takes(350)))
    expect(records).toEqual([
      { event: 'renewal', ...k, at: start + 100, outcome: 'renewed' },
      { event: 'renewal', ...k, at: start + 200, outcome: 'unknown' },
      { event: 'renewal', ...k, at: start + 300, outcome: 'renewed' },
    ])
  })

  it('of a connection that goes and comes', async () => {
    const { a, clock, store } = openFleet()
    await clock.advance(10)
    const records = watch(a, ...names)
    store.setBus(false)
    store.setBus(true)
    expect(records).toEqual([
      { event: 'connection', at: start + 10, part: 'bus', state: 'down' },
      { event: 'connection', at: start + 10, part: 'bus', state: 'up' },
    ])
  })

  it('count a call’s time from its beginning, whenever the listener came', async () => {
    const { a, clock, source, until } = openFleet()
    await clock.advance(5000)
    const call = a.getOrSet('k', source.takes(100))
    await clock.advance(50)
    const records = watch(a, 'miss')
    await until(call)
    expect(records).toMatchObject([{ durationMs: 100 }])
  })
})

describe('every call makes one record', () => {
  it('that a caller’s signal ended', async () => {
    const { a } = openFleet()
    const records = watch(a, 'hit', 'stale', 'miss')
    const call = a.getOrSet('k', () => 'v', { signal: AbortSignal.abort('bye') })
    await expect(call).rejects.toBe('bye')
    expect(records).toEqual([{ event: 'miss', ...k, at: start, outcome: 'failed', durationMs: 0, error: 'bye' }])
  })

  it('that asked for its own key', async () => {
    const { a, until } = openFleet()
    const records = watch(a, 'hit', 'stale', 'miss')
    const inner = a.getOrSet('k', () => a.getOrSet('k', () => 'v'))
    await expect(until(inner)).rejects.toMatchObject({ code: 'LOADER_RECURSION' })
    expect(records).toMatchObject([
      { outcome: 'failed', error: { code: 'LOADER_RECURSION' } },
      { outcome: 'failed', error: { code: 'LOADER_RECURSION' } },
    ])
  })
})

describe('a listener', () => {
  it('hears until it is taken off, in the order of coming', async () => {
    const { a } = openFleet()
    const heard: string[] = []
    const first = (): void => void heard.push('first')
    const second = (): void => void heard.push('second')
    expect(a.on('set', first).on('set', second)).toBe(a)
    await a.set('k', 1)
    a.off('set', first)
    await a.set('k', 2)
    a.off('set', second).off('set', second)
    await a.set('k', 3)
    expect(heard).toEqual(['first', 'second', 'second'])
  })

  it('is refused by name when it is for no event, or is none', () => {
    const { a } = openFleet()
    const on = a.on.bind(a) as (name: string, listener: unknown) => void
    expect(() => on('store-eror', () => {})).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', message: 'Unknown event "store-eror"; did you mean "store-error"?' }),
    )
    expect(() => on('hit', 'log')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option: 'listener', message: expect.stringContaining('a function') }),
    )
    expect(
      a.off('store-eror' as 'hit', () => {}),
      'nobody can listen to it',
    ).toBe(a)
  })

  it('that is async and rejects is named in a warning as well', async () => {
    const { a } = openFleet()
    const warned = new Promise<Error>(resolve => process.once('warning', resolve))
    const late = (): unknown => Promise.reject(new Error('a late bug'))
    a.on('set', late)
    await a.set('k', 'v')
    expect(await warned).toMatchObject({
      name: 'LeaseholdWarning',
      message: "a listener of 'set' threw: Error: a late bug",
    })
  })

  it('that throws is named in a warning and changes nothing', async () => {
    const { a } = openFleet()
    const warned = new Promise<Error>(resolve => process.once('warning', resolve))
    const records: unknown[] = []
    a.on('set', () => {
      throw new Error('a bug')
    })
    a.on('set', record => records.push(record))
    await a.set('k', 'v')
    expect(await a.get('k')).toBe('v')
    expect(records.length).toBe(1)
    expect((await warned).message).toBe("a listener of 'set' threw: Error: a bug")
  })
})

describe('without listeners', () => {
  it('no record is built', async () => {
    const clock = virtualClock()
    const chaos = chaosStore(memoryStore(), ({ command, nth }) =>
      command === 'read' && nth % 5 === 0 ? slow(Infinity) : undefined,
    )
    // The store keeps its own time, so that whoever else asks for the wall clock is making a record.
    const store: StoreProvider = { kind: chaos.kind, open: context => chaos.open({ ...context, clock }) }
    let records = 0
    const counting = { ...clock, wallNow: () => ++records }
    const [a, b] = [1, 2].map(() =>
      createCache({ namespace: 'test', store, clock: counting, ttl: '100ms', staleWhileRevalidate: '100ms' }),
    )
    const busy = async (): Promise<void> => {
      for (let turn = 0; turn < 40; turn++) {
        const loader = async (): Promise<string> => {
          await sleep(clock, 20)
          if (turn % 7 === 0) throw new Error('no')
          return 'v'
        }
        await Promise.allSettled([a!.getOrSet('k', loader), b!.getOrSet('k', loader), a!.get('k')])
        if (turn % 6 === 0) await b!.delete('k')
        if (turn % 8 === 0) await a!.set('k', 'set')
        await sleep(clock, 30)
      }
    }
    await clock.runUntilSettled(busy())
    expect(records).toBe(0)

    for (const name of names) a!.on(name, () => {})
    await clock.runUntilSettled(busy())
    expect(records).toBeGreaterThan(40)
  })
})
