import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/core/cache.ts'
import { slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, sleep, track, watch } from './stage.ts'

const twelve = Array.from({ length: 12 }, (_, index) => `k${index}`)

function idsOf(cache: Cache, load: () => Promise<string>, inBatches = false) {
  const key = (id: string): { id: string } => ({ id })
  if (!inBatches) return cache.define('thing', { key, load })
  return cache.define('thing', { key, loadMany: (ids: readonly string[]) => Promise.all(ids.map(load)) })
}

describe('a caller’s signal', () => {
  it.each([
    ['a batch', (cache, loader, signal) => [cache.getOrSetMany(twelve, keys => Promise.all(keys.map(loader)), { signal })]],
    ['calls that share it', (cache, loader, signal) => twelve.map(key => cache.getOrSet(key, loader, { signal }))],
    ['getMany of a resource', (cache, loader, signal) => [idsOf(cache, loader).getMany(twelve, { signal })]],
    ['a warm-up', (cache, loader, signal) => [idsOf(cache, loader).warm(twelve, { signal, concurrency: 12, batchSize: 1 })]],
    ['a warm-up in batches', (cache, loader, signal) => [idsOf(cache, loader, true).warm(twelve, { signal })]],
  ] satisfies [string, (cache: Cache, loader: () => Promise<string>, signal: AbortSignal) => Promise<unknown>[]][])(
    'has one listener, and none when it is over: %s',
    async (_, ask) => {
      const { a, clock } = openFleet()
      const { signal } = new AbortController()
      const most: number[] = []
      const load = (): Promise<string> => {
        most.push(getEventListeners(signal, 'abort').length)
        return sleep(clock, 10).then(() => 'v')
      }
      await clock.runUntilSettled(Promise.all(ask(a, load, signal)))
      expect(most.length).toBeGreaterThanOrEqual(12)
      expect([Math.max(...most), getEventListeners(signal, 'abort').length]).toEqual([1, 0])
    },
  )

  it('reaches every call that shares it when it aborts', async () => {
    const { a, clock, source } = openFleet()
    const leaving = new AbortController()
    const { signal } = leaving
    const calls = twelve.map(key => track(clock, a.getOrSet(key, source.takes(100), { signal })))
    await clock.advance(50)
    leaving.abort(new Error('gone'))
    await clock.settle()
    expect(calls.map(({ state, at }) => `${state} ${at}`)).toEqual(twelve.map(() => 'rejected 50'))
    expect(source.contexts.map(({ signal: own }) => own.aborted)).toEqual(twelve.map(() => true))
  })

  it('makes that caller leave, with the signal’s reason, while the load goes on for the others', async () => {
    const { a, clock, source } = openFleet()
    const leaving = new AbortController()
    const one = track(clock, a.getOrSet('k', source.takes(100), { signal: leaving.signal }))
    const other = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    leaving.abort(new Error('gone'))
    await clock.settle()
    expect(one).toMatchObject({ state: 'rejected', error: new Error('gone'), at: 50 })
    expect(source.contexts[0]!.signal.aborted).toBe(false)
    await clock.advance(50)
    expect(other.value).toBe('load 1')
  })

  it('aborts the loader when the last caller leaves', async () => {
    const { a, clock, source } = openFleet()
    const controllers = [new AbortController(), new AbortController()]
    for (const { signal } of controllers) a.getOrSet('k', source.takes(100), { signal }).catch(() => {})
    await clock.advance(50)
    controllers[0]!.abort()
    expect(source.contexts[0]!.signal.aborted).toBe(false)
    controllers[1]!.abort()
    expect(source.contexts[0]!.signal.aborted).toBe(true)
    expect(source.contexts[0]!.signal.reason).toMatchObject({ name: 'AbortError' })
  })

  it('releases the lease of a loader that obeys, and leaves neither cooldown nor any other mark', async () => {
    const { a, b, clock, source, until } = openFleet({ errorCooldown: '1m', lease: '10s' })
    const records = watch(a, 'load')
    const leaving = new AbortController()
    const obedient = source.runs<string>(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    a.getOrSet('k', obedient, { signal: leaving.signal }).catch(() => {})
    await clock.advance(50)
    leaving.abort()
    await clock.settle()
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 2')
    expect(clock.now()).toBe(60)
    expect(records).toMatchObject([{ outcome: 'aborted', durationMs: 50 }])
  })

  it('lets a loader that does not listen finish, and stores what it brings', async () => {
    const { a, b, clock, source } = openFleet()
    const leaving = new AbortController()
    a.getOrSet('k', source.takes(100), { signal: leaving.signal }).catch(() => {})
    await clock.advance(50)
    leaving.abort()
    await clock.settle()
    const next = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(60)
    expect(next.value).toBe('load 1')
    expect(await b.get('k')).toBe('load 1')
  })

  it('that is aborted already rejects before any work', async () => {
    const { a, source, store } = openFleet()
    await expect(a.getOrSet('k', source.takes(10), { signal: AbortSignal.abort('early') })).rejects.toBe('early')
    expect(store.calls).toEqual([])
    expect(source.loads).toBe(0)
  })

  it('that aborts before the lease is granted starts no loader, and the lease is given back', async () => {
    for (const command of ['read', 'acquire'] as const) {
      const { a, b, clock, source, store, until } = openFleet({ lease: '10s' }, call =>
        call.client === 0 && call.command === command ? slow(0, 20) : undefined,
      )
      const leaving = new AbortController()
      const call = track(clock, a.getOrSet('k', source.takes(10), { signal: leaving.signal }))
      await clock.advance(10)
      leaving.abort('bye')
      await clock.advance(50)
      expect(call).toMatchObject({ state: 'rejected', error: 'bye' })
      expect(source.loads).toBe(0)
      expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 1')
      expect(clock.now()).toBe(70)
      expect(store.count('release')).toBe(1)
    }
  })

  it('ends the wait for another process, and asks the store no more', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '1s' })
    const records = watch(b, 'wait')
    void a.getOrSet('k', source.takes(20_000))
    await clock.settle()
    const leaving = new AbortController()
    const call = track(clock, b.getOrSet('k', source.takes(10), { signal: leaving.signal }))
    await clock.advance(100)
    leaving.abort('bye')
    await clock.settle()
    expect(call.state).toBe('rejected')
    const asked = store.count('acquire', 1)
    await clock.advance(30_000)
    expect(store.count('acquire', 1)).toBe(asked)
    expect(source.loads).toBe(1)
    expect(records).toMatchObject([{ outcome: 'gave-up', waitedMs: 100 }])
  })

  it('leaves no listener behind', async () => {
    const { a, source, until } = openFleet()
    const { signal } = new AbortController()
    let listeners = 0
    const counted = new Proxy(signal, {
      get(target, name) {
        if (name === 'addEventListener') listeners++
        if (name === 'removeEventListener') listeners--
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    await until(a.getOrSet('k', source.takes(10), { signal: counted }))
    expect(listeners).toBe(0)
  })

  it('does not count a timeout as leaving: the load goes on for whoever comes next', async () => {
    const { a, clock, source } = openFleet({ timeout: { hard: '10s' } })
    void a.getOrSet('k', source.takes(500), { signal: new AbortController().signal })
    await clock.advance(10)
    const hasty = track(clock, a.getOrSet('k', source.takes(500), { timeout: { hard: 100 } }))
    await clock.advance(100)
    expect(hasty.state).toBe('rejected')
    expect(source.contexts[0]!.signal.aborted).toBe(false)
  })
})
