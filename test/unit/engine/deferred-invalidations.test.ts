import { describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/core/cache.ts'
import { StoreError } from '../../../src/core/errors.ts'
import type { WriteOutcome } from '../../../src/core/outage/defer.ts'
import {
  chaosStore,
  lostReply,
  lostRequest,
  refused,
  slow,
  type ChaosCommand,
  type ChaosScript,
} from '../../../src/testing/chaos-store.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import type { Store, StoreProvider } from '../../../src/core/ports.ts'
import { createCache } from '../../../src/create-cache.ts'
import { openFleet, track, watch } from './stage.ts'

const gone: ChaosScript = () => refused()
const healthy: ChaosScript = () => undefined
/** Only these do not get through. */
const only =
  (...commands: readonly ChaosCommand[]): ChaosScript =>
  ({ command }) =>
    commands.includes(command as ChaosCommand) ? refused() : undefined

const noPermission = new StoreError('STORE_REFUSED', 'not-executed', 'no permission')

interface Way {
  readonly name: string
  readonly command: ChaosCommand
  readonly act: (cache: Cache) => Promise<WriteOutcome>
}

/** As with Redis, the namespace record is of the moment at which a read was executed, however late its reply comes. */
function recordsOfTheRead(): StoreProvider {
  const memory = memoryStore()
  return {
    kind: 'memory',
    open(context) {
      const store = memory.open(context)
      const read = store.read.bind(store)
      const recordNow = (): Buffer | null =>
        Reflect.get(Object.getPrototypeOf(store) as object, 'namespaceRecord', store) as Buffer | null
      let record: Buffer | null = null
      const late: Pick<Store, 'read'> = {
        async read(key, timeoutMs) {
          const bytes = await read(key, timeoutMs)
          const found = recordNow()
          record = found === null ? null : Buffer.from(found)
          return bytes
        },
      }
      return Object.defineProperty(Object.assign(store, late), 'namespaceRecord', { get: () => record })
    },
  }
}

const ways: readonly Way[] = [
  { name: 'invalidateTags', command: 'bump-tags', act: cache => cache.invalidateTags('red') },
  { name: 'clear', command: 'clear', act: cache => cache.clear() },
  { name: 'expire', command: 'expire', act: cache => cache.expire('k') },
]
const tagged = { tags: ['red'] } as const

describe.each(ways)('$name that the store could not be told', ({ command, act }) => {
  it('holds for this process at once: it loads once per outage ttl, and does not believe the store', async () => {
    const { a, b, source, store, until } = openFleet()
    await until(a.set('k', 'old', tagged))
    store.script = only(command)
    expect(await until(act(a))).toBe('deferred')
    expect(await until(a.get('k'))).toBeUndefined()
    expect(await until(a.getEntry('k'))).toBeUndefined()
    expect(await until(a.getMany(['k']))).toEqual([undefined])
    expect(await until(a.getOrSet('k', source.takes(1), tagged))).toBe('load 1')
    expect(await until(a.getOrSet('k', source.takes(1), tagged))).toBe('load 1')
    expect(await until(a.getOrSetMany(['k'], () => ['many'], tagged))).toEqual(['load 1'])
    expect(await until(b.get('k'))).toBe('old')
  })

  it('holds for what was kept and what is being loaded in the outage', async () => {
    const { a, clock, source, until } = openFleet({ staleIfError: '1h' }, gone)
    await until(a.getOrSet('k', source.takes(10), tagged))
    expect(await until(act(a))).toBe('deferred')
    expect(await until(a.getOrSet('k', source.takes(10), tagged))).toBe('load 2')
    await clock.advance(2_000)
    const before = track(clock, a.getOrSet('late', source.takes(100), tagged))
    const slowOne = track(clock, a.getOrSet('k', source.takes(100), tagged))
    await clock.advance(50)
    await until(act(a))
    const after = track(clock, a.getOrSet('k', source.takes(100), tagged))
    await clock.advance(200)
    expect(before.state).toBe('fulfilled')
    expect(after.value).not.toBe(slowOne.value)
    expect(await until(a.getOrSet('k', source.takes(100), tagged))).toBe(after.value)
  })

  it('holds for a load under a lease: who joins it later is not given its value', async () => {
    const { a, clock, source, store } = openFleet()
    const first = track(clock, a.getOrSet('k', source.takes(100), tagged))
    await clock.advance(50)
    store.script = only(command)
    const deferred = track(clock, act(a))
    await clock.advance(0)
    const second = track(clock, a.getOrSet('k', source.takes(100), tagged))
    await clock.advance(500)
    expect(deferred.value).toBe('deferred')
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
  })

  it('is told as soon as the store takes it, and then the store is believed again', async () => {
    const { a, b, clock, source, store, until } = openFleet({ staleIfError: 0 })
    const records = watch(a, 'journal')
    const invalidations = watch(a, 'invalidate')
    await until(b.set('k', 'old', tagged))
    store.script = only(command)
    for (let again = 0; again < 3; again++) await until(act(a))
    expect(a.status().deferredInvalidations).toBe(1)
    expect(invalidations.map(({ outcome }) => outcome)).toEqual(['deferred', 'deferred', 'deferred'])
    const told = store.count(command)
    store.script = healthy
    await clock.advance(300)
    expect(store.count(command)).toBe(told + 1)
    expect(a.status().deferredInvalidations).toBe(0)
    expect(records.at(-1)).toMatchObject({ change: 'replayed', count: 1, waiting: 0 })
    expect(await until(b.get('k'))).toBeUndefined()
    expect(await until(b.getOrSet('k', source.takes(1), tagged))).toBe('load 1')
    expect(await until(a.getOrSet('k', source.takes(1), tagged))).toBe('load 1')
  })

  it('is not told any more once a later one was applied', async () => {
    const { a, clock, store, until } = openFleet()
    store.script = only(command)
    await until(act(a))
    store.script = healthy
    expect(await until(act(a))).toBe('applied')
    expect(a.status().deferredInvalidations).toBe(0)
    const told = store.count(command)
    await clock.advance(1_000)
    expect(store.count(command)).toBe(told)
  })

  it('is deferred when nobody knows whether it was executed, and not when the store refuses', async () => {
    const { a, store, until } = openFleet()
    store.script = call => (call.command === command ? lostReply() : undefined)
    expect(await until(act(a))).toBe('deferred')
    store.script = call => (call.command === command ? refused(noPermission) : undefined)
    await expect(until(act(a))).rejects.toMatchObject({ code: 'STORE_REFUSED' })
  })

  it('goes on waiting while nobody knows whether the store has heard it, until a reply comes', async () => {
    const { a, b, clock, store, until } = openFleet()
    await until(b.set('k', 'old', tagged))
    store.script = only(command)
    await until(act(a))
    // Sent again and again, and lost on the way each time.
    store.script = call => (call.command === command ? lostRequest() : undefined)
    const before = store.count(command)
    await clock.advance(5_000)
    expect(store.count(command)).toBeGreaterThan(before + 1)
    expect(a.status().deferredInvalidations).toBe(1)
    expect(await until(a.get('k'))).toBeUndefined()
    store.script = healthy
    await clock.advance(2_000)
    expect(a.status().deferredInvalidations).toBe(0)
    expect(await until(b.get('k'))).toBeUndefined()
  })

  it('is told again to a server that may have lost it, and what it concerns not believed before', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    expect(await until(act(a))).toBe('applied')
    // As a replica would have it that had not heard of the invalidation.
    await until(b.set('k', 'lost and found', tagged))
    store.script = only(command)
    const records = watch(a, 'journal')
    store.changeServer()
    expect(await until(a.get('k'))).toBeUndefined()
    expect(await until(a.getOrSet('k', source.takes(1), tagged))).toBe('load 1')
    store.script = healthy
    await clock.advance(500)
    expect(records.map(({ change, count }) => `${change} ${count}`)).toEqual(['doubted 1', 'replayed 1'])
    expect(await until(b.get('k'))).toBeUndefined()
  })

  it('is told in one last try when the cache closes', async () => {
    const { a, b, store, until } = openFleet()
    await until(b.set('k', 'old', tagged))
    store.script = only(command)
    await until(act(a))
    store.script = healthy
    await until(a.close())
    expect(await until(b.get('k'))).toBeUndefined()
  })
})

describe('a deferred invalidateTags', () => {
  it('leaves what has other tags, in the store and of the outage', async () => {
    const { a, b, source, store, until } = openFleet()
    await until(b.set('blue', 'stored', { tags: ['blue'] }))
    await until(b.set('none', 'stored'))
    store.script = gone
    const kept = await until(a.getOrSet('kept', source.takes(1), { tags: ['blue'] }))
    await until(a.invalidateTags('red'))
    expect(await until(a.getOrSet('kept', source.takes(1), { tags: ['blue'] }))).toBe(kept)
    store.script = only('bump-tags')
    expect(await until(a.getMany(['blue', 'none']))).toEqual(['stored', 'stored'])
  })

  it('counts for calls that name the tag, though the value was stored without it', async () => {
    const { a, b, source, store, until } = openFleet()
    await until(b.set('k', 'old'))
    store.script = only('bump-tags')
    await until(a.invalidateTags('red'))
    expect(await until(a.getOrSet('k', source.takes(1)))).toBe('old')
    expect(await until(a.getOrSet('k', source.takes(1), tagged))).toBe('load 1')
  })

  it('does not believe an answer that was on its way while the store was told', async () => {
    const store = chaosStore(recordsOfTheRead())
    const clock = virtualClock()
    const cache = createCache({ namespace: 'test', store, clock, commandTimeout: '1s', storeBudget: '2s' })
    await cache.set('k', 'old', tagged)
    store.script = only('bump-tags')
    await clock.runUntilSettled(cache.invalidateTags('red'))
    store.script = ({ command }) => (command === 'read' ? slow(0, 500) : undefined)
    const reading = track(
      clock,
      cache.getOrSet('k', () => 'new', tagged),
    )
    await clock.advance(400)
    expect(cache.status().deferredInvalidations).toBe(0)
    await clock.advance(400)
    expect(reading.value).toBe('new')
  })

  it('does not take a value of its tag from the acquire either', async () => {
    const { a, b, clock, source, store, until } = openFleet()
    const other = track(clock, b.getOrSet('k', source.takes(100), tagged))
    await clock.advance(10)
    store.script = only('bump-tags')
    await until(a.invalidateTags('red'))
    const waiting = track(clock, a.getOrSet('k', source.takes(100), tagged))
    await clock.advance(500)
    expect([other.value, waiting.value]).toEqual(['load 1', 'load 2'])
  })

  it('holds for what is being loaded, however many other tags were invalidated since', async () => {
    const { a, clock, source, until } = openFleet({}, gone)
    const first = track(clock, a.getOrSet('k', source.takes(500), tagged))
    await clock.advance(10)
    await until(a.invalidateTags('red'))
    await until(a.invalidateTags(Array.from({ length: 1_200 }, (_, nth) => `tag-${nth}`)))
    const second = track(clock, a.getOrSet('k', source.takes(500), tagged))
    await clock.advance(1_000)
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
  })

  it('of many tags is told in few commands', async () => {
    const { a, clock, store, until } = openFleet()
    store.script = only('bump-tags')
    const tags = Array.from({ length: 1_200 }, (_, nth) => `tag-${nth}`)
    expect(await until(a.invalidateTags(tags))).toBe('deferred')
    expect(a.status().deferredInvalidations).toBe(1_200)
    const told = store.count('bump-tags')
    store.script = healthy
    await clock.advance(300)
    expect(store.count('bump-tags') - told).toBe(3)
    expect(a.status().deferredInvalidations).toBe(0)
  })
})

describe('a deferred clear', () => {
  it('is told first, and makes all others superfluous', async () => {
    const { a, b, clock, store, until } = openFleet()
    await until(b.set('one', 'v'))
    await until(b.set('two', 'v'))
    store.script = gone
    await until(a.delete('one'))
    await until(a.invalidateTags('red'))
    await until(a.clear())
    await until(a.delete('two'))
    store.script = healthy
    const before = store.calls.length
    await clock.advance(300)
    expect(store.calls.slice(before).map(({ command }) => command)).toEqual(['clear'])
    expect(a.status().deferredInvalidations).toBe(0)
    expect(await until(b.get('one'))).toBeUndefined()
    expect(await until(b.get('two'))).toBeUndefined()
  })

  it('says nothing of what was deferred while it was on its way', async () => {
    const { a, b, clock, store, until } = openFleet({ commandTimeout: '1s', storeBudget: '2s' })
    store.script = only('clear')
    await until(a.clear())
    store.script = ({ command }) => (command === 'clear' ? slow(0, 500) : command === 'remove' ? refused() : undefined)
    await clock.advance(200)
    await until(b.set('k', 'stored after the clear'))
    expect(await until(a.delete('k'))).toBe('deferred')
    await clock.advance(500)
    store.script = healthy
    await clock.advance(500)
    expect(await until(b.get('k'))).toBeUndefined()
  })
})

describe('a deferred expire', () => {
  it('is told as what it is, unless the key was also to be deleted', async () => {
    const { a, b, clock, store, until } = openFleet({ staleIfError: '1h' })
    await until(b.set('expired', 'v'))
    await until(b.set('deleted', 'v'))
    store.script = gone
    await until(a.expire('expired'))
    await until(a.delete('deleted'))
    await until(a.expire('deleted'))
    store.script = healthy
    await clock.advance(500)
    expect(await until(b.getEntry('expired'))).toMatchObject({ fresh: false, value: 'v' })
    expect(await until(b.getEntry('deleted'))).toBeUndefined()
  })
})
