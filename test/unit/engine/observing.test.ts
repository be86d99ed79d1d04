import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { CacheEventEmitter } from '../../../src/core/event-emitter.ts'
import type { Store, StoreContext, StoreListeners } from '../../../src/core/ports.ts'
import type { Tracer } from '../../../src/core/tracer.ts'
import { createCache } from '../../../src/create-cache.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { openFleet, watch } from './stage.ts'

describe('counting hits', () => {
  it('counts those of getOrSet and their bytes from the first asking on, for all who ask', async () => {
    const { a, source, until } = openFleet({ codec: 'json' })
    await until(a.getOrSet('k', source.takes(10)))
    await a.getOrSet('k', source.takes(10))
    const counts = a.countHits()
    for (let turn = 0; turn < 3; turn++) await a.getOrSet('k', source.takes(10))
    const { hits, bytes } = a.countHits()
    expect({ hits, bytes }).toEqual({ hits: 3, bytes: 3 * (76 + '"load 1"'.length) })
    expect(counts).toBe(a.countHits())
  })

  it('tells the duration of one in 32', async () => {
    const { a, source, until } = openFleet()
    const told: number[] = []
    a.countHits(durationMs => told.push(durationMs))
    await until(a.getOrSet('k', source.takes(10)))
    for (let turn = 0; turn < 65; turn++) await a.getOrSet('k', source.takes(10))
    expect(told).toEqual([0, 0])
  })
})

describe('the status', () => {
  it('says whether store and bus are up, and what is under way', async () => {
    const { a, clock, store, source, until } = openFleet()
    expect(a.status()).toMatchObject({ store: 'unknown', bus: 'unknown', pendingCalls: 0, heldLeases: 0 })
    await clock.advance(1)
    store.setBus(false)
    const call = a.getOrSet('k', source.takes(100))
    await clock.advance(10)
    expect(a.status()).toEqual({
      phase: 'open',
      store: 'up',
      bus: 'down',
      breakers: {},
      deferredInvalidations: 0,
      outageLoads: { running: 0, queued: 0 },
      pendingCalls: 1,
      heldLeases: 1,
      runningRefreshes: 0,
    })
    await until(call)
    expect(a.status()).toMatchObject({ pendingCalls: 0, heldLeases: 0 })
  })

  it('says that a cache is closed, and no more that its store is up', async () => {
    const { a, clock, source, until } = openFleet({ closeTimeout: '1s' })
    await clock.advance(1)
    expect(a.status()).toMatchObject({ phase: 'open', store: 'up', bus: 'up' })
    const call = a.getOrSet('k', source.takes(100))
    await clock.advance(1)
    const closed = a.close()
    expect(a.status()).toMatchObject({ phase: 'closing', store: 'up', bus: 'up' })
    await until(Promise.all([call, closed]))
    expect(a.status()).toMatchObject({ phase: 'closed', store: 'down', bus: 'down' })
  })

  it('names the servers whose breakers are not closed, and each change is an event', () => {
    const memory = memoryStore()
    let listeners!: StoreListeners
    const open = (context: StoreContext): Store => memory.open({ ...context, listeners: (listeners = context.listeners) })
    const cache = createCache({ namespace: 'test', store: { kind: 'guarded', open } })
    const records = watch(cache, 'breaker')
    listeners.onBreaker?.({ endpoint: 'a:1', state: 'open', reason: 'errors' })
    listeners.onBreaker?.({ endpoint: 'b:2', state: 'half-open', reason: 'probe' })
    expect(cache.status().breakers).toEqual({ 'a:1': 'open', 'b:2': 'half-open' })
    listeners.onBreaker?.({ endpoint: 'a:1', state: 'closed', reason: 'probe' })
    expect(cache.status().breakers).toEqual({ 'b:2': 'half-open' })
    expect(records).toMatchObject([
      { endpoint: 'a:1', state: 'open', reason: 'errors' },
      { endpoint: 'b:2', state: 'half-open', reason: 'probe' },
      { endpoint: 'a:1', state: 'closed', reason: 'probe' },
    ])
  })
})

describe('diagnostics channels', () => {
  it('carry the records of all caches while someone subscribes', async () => {
    const { a, b, until } = openFleet()
    const heard: unknown[] = []
    const listener = (message: unknown): void => void heard.push(message)
    subscribe('leasehold:set', listener)
    await until(a.set('k', 1))
    await until(b.set('k', 2))
    unsubscribe('leasehold:set', listener)
    await until(a.set('k', 3))
    expect(heard).toMatchObject([
      { cache: 'test', record: { key: 'k', outcome: 'stored' } },
      { cache: 'test', record: { key: 'k', outcome: 'stored' } },
    ])
  })

  it('are named after the events, each of which is heard from when its own has a subscriber', () => {
    const { topics } = new CacheEventEmitter('test')
    const listener = (): void => {}
    for (const [name, topic] of Object.entries(topics)) {
      expect(topic.heard, name).toBe(false)
      subscribe(`leasehold:${name}`, listener)
      expect(topic.heard, name).toBe(true)
      unsubscribe(`leasehold:${name}`, listener)
    }
  })
})

describe('a tracer', () => {
  function recorder(): { readonly tracer: Tracer; readonly lines: string[] } {
    const lines: string[] = []
    const tracer: Tracer = {
      wants: () => true,
      async operation(name, operation, run) {
        const number = lines.push(`${name} ${operation.key ?? operation.keys}`)
        try {
          return await run()
        } finally {
          lines[number - 1] += ` ${operation.outcome}`
        }
      },
      async load({ key, keys, background }, run) {
        lines.push(`load ${key ?? keys} ${background}`)
        return run()
      },
    }
    return { tracer, lines }
  }

  it('runs every operation and load inside itself, and learns how it was answered', async () => {
    const { a, clock, source, until } = openFleet({ ttl: '10s', staleWhileRevalidate: '1m' })
    const { tracer, lines } = recorder()
    a.trace(tracer)
    await until(a.getOrSet('k', source.takes(10)))
    await a.getOrSet('k', source.takes(10))
    await clock.advance(11_000)
    await a.getOrSet('k', source.takes(10))
    await clock.advance(11_000)
    await until(Promise.all([a.get('k'), a.getEntry('k'), a.has('none')]))
    await until(a.set('k', 1))
    await until(a.delete(['k', 'l']))
    await until(a.expire('k'))
    await until(a.getOrSet('bad', source.fails(10)).catch(() => {}))
    expect(lines).toEqual([
      'getOrSet k loaded',
      'load k false',
      'getOrSet k hit',
      'getOrSet k stale',
      'load k true',
      'get k stale',
      'getEntry k stale',
      'has none absent',
      'set k undefined',
      'delete k undefined',
      'delete l undefined',
      'expire k undefined',
      'getOrSet bad undefined',
      'load bad false',
    ])
  })

  it('sees many keys as one operation, and their load as one', async () => {
    const { a, until } = openFleet()
    const { tracer, lines } = recorder()
    a.trace(tracer)
    await until(a.getOrSetMany(['k', 'l'], keys => keys.map(key => `value of ${key}`)))
    await until(a.getMany(['k', 'm', 'n']))
    await until(a.setMany([['m', 1]]))
    expect(lines).toEqual(['getOrSetMany 2 undefined', 'load 2 false', 'getMany 3 undefined', 'set m undefined'])
  })

  it('is alone, and can be taken off', async () => {
    const { a, until } = openFleet()
    const { tracer, lines } = recorder()
    a.trace(tracer)
    expect(() => a.trace(tracer)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', option: 'tracer' }))
    a.trace(undefined)
    await until(a.set('k', 1))
    expect(lines).toEqual([])
  })
})
