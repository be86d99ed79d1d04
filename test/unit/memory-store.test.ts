import { describe, expect, it } from 'vitest'
import type { EntryKey, Store, StoreListeners } from '../../src/core/ports.ts'
import { LeaseTable } from '../../src/memory/lease-table.ts'
import { memoryStore, type MemoryStoreOptions } from '../../src/memory/memory-store.ts'
import { ValueTable } from '../../src/memory/value-table.ts'
import { seededRandom, virtualClock } from '../../src/testing/index.ts'

const random = seededRandom(7)
const silent: StoreListeners = { onWake: () => {}, onBus: () => {}, onReady: () => {} }
const at = (key: string): EntryKey => ({ key, version: 0 })
const foreverMs = 1e9

function openMemory(options: MemoryStoreOptions = {}, listeners: Partial<StoreListeners> = {}) {
  const clock = virtualClock()
  const provider = memoryStore(options)
  const open = (heard: Partial<StoreListeners> = {}) =>
    provider.open({ namespace: 'shop', clock, random, maxKeyBytes: 512, listeners: { ...silent, ...heard } })
  return { clock, open, store: open(listeners) }
}

const timeoutMs = 100
const put = (store: Store, key: string, bytes: Buffer) =>
  store.put({ ...at(key), bytes, keepMs: foreverMs, timeoutMs, notAfter: store.notAfter(at(key), timeoutMs) })
const acquire = (store: Store, key: string, token = random.token()) =>
  store.acquire({
    ...at(key),
    token,
    leaseMs: foreverMs,
    seen: [],
    dead: [],
    wait: false,
    timeoutMs,
    notAfter: store.notAfter(at(key), timeoutMs),
  })

describe('memoryStore', () => {
  it.each([
    [{ maxBytes: 0 }, 'maxBytes'],
    [{ maxBytes: 1.5e3 + 0.5 }, 'maxBytes'],
    [{ maxEntries: 0 }, 'maxEntries'],
    [{ maxEntries: '5' }, 'maxEntries'],
  ])('refuses %o', (options, option) => {
    expect(() => memoryStore(options as MemoryStoreOptions)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', option }))
  })

  it('refuses an option it does not know, naming the nearest', () => {
    expect(() => memoryStore({ maxItems: 5 } as MemoryStoreOptions)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', option: 'maxItems' }),
    )
  })

  it('executes a command when it is called, not when its promise is waited for', async () => {
    const { store } = openMemory()
    const stored = put(store, 'a', Buffer.from('1'))
    const read = store.read(at('a'), timeoutMs)
    const removed = store.remove({ ...at('a'), timeoutMs })
    expect(await read).toEqual(Buffer.from('1'))
    expect(await store.read(at('a'), timeoutMs)).toBeNull()
    await Promise.all([stored, removed])
  })

  it('ends lifetimes and leases at the exact millisecond of its clock', async () => {
    const { store, clock } = openMemory()
    const token = random.token()
    await store.acquire({
      ...at('a'),
      token,
      leaseMs: 100,
      seen: [],
      dead: [],
      wait: false,
      timeoutMs,
      notAfter: store.now(at('a')),
    })
    await clock.advance(99)
    expect(await acquire(store, 'a')).toMatchObject({ kind: 'busy', remainingMs: 1 })
    await clock.advance(1)
    expect(await store.renew({ ...at('a'), token, leaseMs: 1, timeoutMs })).toBe(false)
    await store.put({ ...at('b'), bytes: Buffer.from('1'), keepMs: 100, timeoutMs, notAfter: store.now(at('b')) })
    await clock.advance(99)
    expect(await store.read(at('b'), timeoutMs)).not.toBeNull()
    await clock.advance(1)
    expect(await store.read(at('b'), timeoutMs)).toBeNull()
  })

  it('obeys a command in the last millisecond of its deadline and refuses it in the next', async () => {
    const { store, clock } = openMemory()
    const request = { ...at('a'), bytes: Buffer.from('1'), keepMs: foreverMs, timeoutMs, notAfter: store.notAfter(at('a'), 50) }
    await clock.advance(50)
    expect(await store.put(request)).toBe('stored')
    await clock.advance(1)
    expect(await store.put(request)).toBe('late')
  })

  it('needs no timer, so that it never keeps a process alive', async () => {
    const { store, clock } = openMemory()
    await put(store, 'a', Buffer.from('1'))
    await acquire(store, 'b')
    expect(clock.pendingTimers).toBe(0)
  })

  it('tells of itself and of wake-ups later, as a bus does', async () => {
    const heard: string[] = []
    const { store, clock } = openMemory(
      {},
      { onReady: () => heard.push('ready'), onBus: () => heard.push('bus'), onWake: id => heard.push(id) },
    )
    expect(heard).toEqual([])
    await clock.settle()
    expect(heard).toEqual(['ready', 'bus'])
    const token = random.token()
    await acquire(store, 'a', token)
    await store.acquire({
      ...at('a'),
      token: random.token(),
      leaseMs: 9,
      seen: [],
      dead: [],
      wait: true,
      timeoutMs,
      notAfter: foreverMs ** 2,
    })
    const released = store.release({ ...at('a'), token, marker: { kind: 'none' }, timeoutMs })
    expect(heard).toHaveLength(2)
    await released
    await clock.settle()
    expect(heard).toEqual(['ready', 'bus', store.wakeId(at('a'))])
  })

  it('shares nothing between providers', async () => {
    const [one, two] = [openMemory(), openMemory()]
    await put(one.store, 'a', Buffer.from('1'))
    expect(await two.store.read(at('a'), timeoutMs)).toBeNull()
    expect(await one.open().read(at('a'), timeoutMs)).not.toBeNull()
  })

  it('keeps what it holds while its last cache closes and another opens', async () => {
    const { store, open } = openMemory()
    await put(store, 'a', Buffer.from('1'))
    await store.close()
    expect(await open().read(at('a'), timeoutMs)).toEqual(Buffer.from('1'))
  })
})

describe('memory', () => {
  it('gives up the least recently used values beyond maxBytes', async () => {
    const { store } = openMemory({ maxBytes: 100_000 })
    for (let index = 0; index < 300; index++) {
      await put(store, `k${index}`, Buffer.alloc(1000))
      await store.read(at('k0'), timeoutMs)
    }
    const kept = await Promise.all(Array.from({ length: 300 }, (_, index) => store.read(at(`k${index}`), timeoutMs)))
    const count = kept.filter(bytes => bytes !== null).length
    expect(count).toBeGreaterThan(50)
    expect(count).toBeLessThan(100)
    expect(kept[0]).not.toBeNull()
    expect(kept[1]).toBeNull()
    expect(kept[299]).not.toBeNull()
  })

  it('gives up the least recently used values beyond maxEntries', async () => {
    const { store } = openMemory({ maxEntries: 2 })
    for (const key of ['a', 'b', 'c']) await put(store, key, Buffer.from(key))
    expect(await store.read(at('a'), timeoutMs)).toBeNull()
    expect(await store.read(at('b'), timeoutMs)).not.toBeNull()
  })

  it('never gives up a lease: it fences its load whatever happens to values', async () => {
    const { store } = openMemory({ maxBytes: 10_000 })
    const token = random.token()
    await acquire(store, 'held', token)
    for (let index = 0; index < 500; index++) await put(store, `k${index}`, Buffer.alloc(1000))
    expect(await acquire(store, 'held')).toMatchObject({ kind: 'busy', holder: token })
    expect(await store.renew({ ...at('held'), token, leaseMs: 5, timeoutMs })).toBe(true)
  })

  it('is full for a value that could never fit: a commit keeps the old value and ends the lease, a put removes it', async () => {
    const { store } = openMemory({ maxBytes: 10_000 })
    await put(store, 'a', Buffer.from('old'))
    const token = random.token()
    await acquire(store, 'a', token)
    const tooLarge = {
      ...at('a'),
      bytes: Buffer.alloc(20_000),
      keepMs: foreverMs,
      timeoutMs,
      notAfter: store.notAfter(at('a'), 9),
    }
    expect(await store.commit({ ...tooLarge, token })).toBe('full')
    expect(await store.read(at('a'), timeoutMs)).toEqual(Buffer.from('old'))
    expect(await store.renew({ ...at('a'), token, leaseMs: 5, timeoutMs })).toBe(false)
    expect(await store.put(tooLarge)).toBe('full')
    expect(await store.read(at('a'), timeoutMs)).toBeNull()
  })

  it('sweeps out values that nobody asks for again', () => {
    const values = new ValueTable({ maxBytes: 1e9, maxEntries: undefined })
    for (let now = 0; now < 10_000; now++) values.set(`k${now}`, Buffer.from('1'), 100, now)
    expect(values.size).toBeLessThan(300)
  })

  it('sweeps out leases and markers that have ended, and refuses new ones only beyond a bound', () => {
    const leases = new LeaseTable()
    for (let now = 0; now < 10_000; now++) leases.set(`k${now}`, { kind: 'do-not-queue' }, 100, now)
    expect(leases.size).toBeLessThan(300)
    const crowded = new LeaseTable()
    let kept = 0
    while (kept < 200_000 && crowded.set(`k${kept}`, { kind: 'do-not-queue' }, 100, 0)) kept++
    expect(kept).toBe(100_000)
    expect(crowded.set('k5', { kind: 'do-not-queue' }, 100, 0)).toBe(true)
    expect(crowded.set('later', { kind: 'do-not-queue' }, 100, 100)).toBe(true)
  })
})
