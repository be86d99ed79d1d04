import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import type { Store, StoreProvider } from '../../../src/core/ports.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { refused } from '../../../src/testing/chaos-store.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import { createCache } from '../../../src/create-cache.ts'
import { openFleet, track, watch } from './stage.ts'

/** A store whose server's time is known once `ready` has been waited for. */
function lateTime(ready: () => Promise<void>): StoreProvider {
  const memory = memoryStore()
  return {
    kind: 'late',
    open(context) {
      const store = memory.open(context)
      let known = false
      const late: Partial<Store> = {
        now: key => (known ? store.now(key) : NaN),
        async ready() {
          await ready()
          known = true
        },
      }
      return new Proxy(store, {
        get: (target, name: keyof Store) => {
          const found = late[name] ?? target[name]
          return typeof found === 'function' ? found.bind(target) : found
        },
      })
    },
  }
}

describe('a write that was not executed', () => {
  it.each(['set', 'delete', 'expire'] as const)('is named, and not followed by another try (%s)', async operation => {
    const { a, b, store, until } = openFleet()
    await until(a.set('k', 'old'))
    store.script = () => refused()
    const sent = store.calls.length
    const records = watch(a, 'store-error')
    expect(await until(operation === 'set' ? a.set('k', 'new') : a[operation]('k'))).toBe('deferred')
    // A value that cannot be stamped is not put; what it would have replaced is to go all the same.
    const commands = { set: ['stamp', 'remove'], delete: ['remove'], expire: ['expire'] }[operation]
    expect(store.calls.slice(sent).map(call => call.command)).toEqual(commands)
    expect(records).toMatchObject(commands.map(command => ({ command, outcome: 'not-executed' })))
    store.script = () => undefined
    expect(await b.get('k')).toBe('old')
  })
})

describe('a set', () => {
  it("before the server's time is known waits for it, so that the value is dated right", async () => {
    const clock = virtualClock()
    const cache = createCache({ namespace: 'test', store: lateTime(async () => {}), clock, ttl: '10s', jitter: 0 })
    await cache.set('k', 'v')
    expect(await cache.getEntry('k')).toMatchObject({ fresh: true, ageMs: 0, freshForMs: 10_000 })
  })

  it("is deferred when the server's time does not become known", async () => {
    const failure = new StoreError('STORE_UNAVAILABLE', 'not-executed', 'no server')
    const cache = createCache({ namespace: 'test', store: lateTime(() => Promise.reject(failure)), clock: virtualClock() })
    const records = watch(cache, 'store-error')
    expect(await cache.set('k', 'v')).toBe('deferred')
    expect(records).toMatchObject([{ command: 'put', code: 'STORE_UNAVAILABLE' }])
  })

  it('takes a value of exactly maxValueBytes, and names one that is larger with both sizes', async () => {
    const value = 'x'.repeat(200)
    const probe = openFleet({ compression: false })
    const records = watch(probe.a, 'set')
    await probe.until(probe.a.set('k', value))
    const { bytes } = records[0]!
    await openFleet({ compression: false, maxValueBytes: bytes }).a.set('k', value)
    await expect(openFleet({ compression: false, maxValueBytes: bytes - 1 }).a.set('k', value)).rejects.toMatchObject({
      code: 'VALUE_TOO_LARGE',
      key: 'k',
      message: expect.stringMatching(new RegExp(`${bytes} bytes.*${bytes - 1}`)),
    })
  })

  it('of undefined is refused by key', async () => {
    const { a } = openFleet()
    await expect(a.set('k', undefined)).rejects.toMatchObject({ code: 'UNSERIALIZABLE_VALUE', key: 'k' })
  })

  it.each([0, 1, 2])('of version 1 closes loads that run without a lease, also those of version %i', async version => {
    const { a, clock, source, until } = openFleet({}, ({ command }) => (command === 'acquire' ? refused() : undefined))
    const before = track(clock, a.getOrSet('k', source.takes(100), { version }))
    await clock.advance(50)
    await until(a.set('k', 'set', { version: 1 }))
    const after = track(clock, a.getOrSet('k', source.takes(100), { version }))
    await clock.advance(500)
    expect([before.value, after.value]).toEqual(['load 1', version === 1 ? 'set' : 'load 2'])
  })
})

describe('a refused call', () => {
  it('says what was wrong with its key', async () => {
    const { a } = openFleet()
    await expect(a.get('')).rejects.toThrow('an empty one')
    await expect(a.get(5 as unknown as string)).rejects.toThrow('number')
  })

  it('after close names its key', async () => {
    const { a, until } = openFleet()
    await until(a.close())
    await expect(a.get('k')).rejects.toMatchObject({ code: 'CACHE_CLOSED', key: 'k' })
  })
})
