import { describe, expect, it } from 'vitest'
import type { Change, CommitRequest, Store } from '../../src/core/ports.ts'
import { memoryStore } from '../../src/memory/memory-store.ts'
import { answered, chaosStore, inTurn, lostReply, lostRequest, refused, slow, twice } from '../../src/testing/chaos-store.ts'
import type { ChaosScript, Fault } from '../../src/testing/chaos-store.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'

const key = { key: 'k', version: 0 }
const timeoutMs = 100

function open(script?: ChaosScript) {
  const clock = virtualClock()
  const random = seededRandom(1)
  const chaos = chaosStore(memoryStore(), script)
  const heard: string[] = []
  const connect = (name: string): Store =>
    chaos.open({
      namespace: 'test',
      clock,
      random,
      maxKeyBytes: 512,
      listeners: {
        onWake: wakeId => heard.push(`${name} ${wakeId}`),
        onBus: live => heard.push(`${name} bus ${live ? 'up' : 'down'}`),
        onReady: () => {},
      },
    })
  const acquire = (store: Store, token = random.token(), wait = true) =>
    store.acquire({
      ...key,
      token,
      leaseMs: 1000,
      notAfter: store.notAfter(key, timeoutMs),
      timeoutMs,
      seen: [],
      dead: [],
      wait,
    })
  const put = (store: Store) =>
    store.put({ ...key, bytes: Buffer.from('v'), keepMs: 10_000, timeoutMs, notAfter: store.notAfter(key, timeoutMs) })
  return { clock, random, chaos, heard, connect, acquire, put }
}

describe('chaosStore', () => {
  it('passes everything on and remembers what was asked', async () => {
    const { chaos, connect, acquire, put } = open()
    const [a, b] = [connect('a'), connect('b')]
    await put(a)
    expect(await b.read(key, timeoutMs)).toEqual(Buffer.from('v'))
    expect(await acquire(b)).toEqual({ kind: 'granted' })
    expect(chaos.calls.map(({ command, client, nth, key: of }) => [command, client, nth, of])).toEqual([
      ['put', 0, 1, 'k'],
      ['read', 1, 1, 'k'],
      ['acquire', 1, 1, 'k'],
    ])
    expect([chaos.count('read'), chaos.count('read', 0), chaos.count('read', 1)]).toEqual([1, 0, 1])
  })

  it('refuses a command that is then known not to have been executed', async () => {
    const { connect, put } = open(inTurn({ put: [refused()] }))
    const store = connect('a')
    await expect(put(store)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
    expect(await store.read(key, timeoutMs)).toBeNull()
  })

  it.each([
    ['a lost reply: executed at once', lostReply(), 'v'],
    ['a lost request: never executed', lostRequest(), undefined],
  ])('lets the caller time out after %s', async (_name, fault, stored) => {
    const { clock, connect, put } = open(inTurn({ put: [fault] }))
    const store = connect('a')
    await expect(clock.runUntilSettled(put(store))).rejects.toMatchObject({ code: 'STORE_TIMEOUT', outcome: 'unknown' })
    expect(clock.now()).toBe(timeoutMs)
    expect((await store.read(key, timeoutMs))?.toString()).toBe(stored)
  })

  it('executes a command after its caller gave up', async () => {
    const { clock, connect, random } = open(inTurn({ release: [slow(500)] }))
    const store = connect('a')
    const token = random.token()
    await store.acquire({ ...key, token, leaseMs: 10_000, notAfter: Infinity, timeoutMs, seen: [], dead: [], wait: false })
    const released = store.release({ ...key, token, marker: { kind: 'none' }, timeoutMs })
    await expect(clock.runUntilSettled(released)).rejects.toMatchObject({ outcome: 'unknown' })
    const held = (): Promise<boolean> => store.renew({ ...key, token, leaseMs: 10_000, timeoutMs })
    expect(await held()).toBe(true)
    await clock.advance(400)
    expect(await held()).toBe(false)
  })

  it('leaves it to the store to refuse what arrives after its deadline', async () => {
    const { clock, connect, put } = open(inTurn({ put: [slow(timeoutMs + 1)] }))
    const store = connect('a')
    await expect(clock.runUntilSettled(put(store))).rejects.toMatchObject({ outcome: 'unknown' })
    await clock.advance(1000)
    expect(await store.read(key, timeoutMs)).toBeNull()
  })

  it('delays the way there and the way back', async () => {
    const { clock, connect, put } = open(inTurn({ put: [slow(30, 20)] }))
    const store = connect('a')
    const stored = put(store)
    await clock.advance(29)
    expect(await store.read(key, timeoutMs)).toBeNull()
    await clock.advance(1)
    expect(await store.read(key, timeoutMs)).not.toBeNull()
    await clock.runUntilSettled(stored)
    expect(clock.now()).toBe(50)
    expect(clock.pendingTimers).toBe(0)
  })

  it('executes a command twice and gives the second answer', async () => {
    const { connect, acquire, random } = open(inTurn({ release: [twice()] }))
    const store = connect('a')
    const token = random.token()
    await acquire(store, token)
    expect(await store.release({ ...key, token, marker: { kind: 'none' }, timeoutMs })).toBe(false)
  })

  it('answers in the place of the store', async () => {
    const { connect, put } = open(inTurn({ put: [answered('full')] }))
    const store = connect('a')
    expect(await put(store)).toBe('full')
    expect(await store.read(key, timeoutMs)).toBeNull()
  })

  it('decides about the commit by what it carries', async () => {
    const { chaos, connect, put } = open()
    const store = connect('a')
    chaos.script = ({ command, request }) =>
      command === 'put' && (request as CommitRequest).keepMs === 10_000 ? answered('late') : undefined
    expect(await put(store)).toBe('late')
  })

  it('drops, delays and repeats wake-ups', async () => {
    const { clock, heard, connect, acquire, put } = open(inTurn({ wake: [lostRequest(), slow(20), twice()] }))
    const store = connect('a')
    await clock.settle()
    heard.length = 0
    const wake = async (): Promise<void> => {
      await acquire(store)
      await acquire(store)
      await put(store)
      await store.remove({ ...key, timeoutMs })
      await clock.settle()
    }
    await wake()
    expect(heard).toEqual([])
    await wake()
    expect(heard).toEqual([])
    await clock.advance(20)
    expect(heard).toEqual(['a 0:k'])
    await wake()
    expect(heard).toEqual(['a 0:k', 'a 0:k', 'a 0:k'])
  })

  it('takes the bus down, with it every wake-up, and brings it back', async () => {
    const { clock, chaos, heard, connect, acquire, put } = open()
    const store = connect('a')
    connect('b')
    await clock.settle()
    heard.length = 0
    chaos.setBus(false)
    await acquire(store)
    await acquire(store)
    await put(store)
    await clock.settle()
    chaos.setBus(true)
    expect(heard).toEqual(['a bus down', 'b bus down', 'a bus up', 'b bus up'])
  })
})

describe('what a store tells who keeps trusted copies', () => {
  /** Two processes, of which the first hears changes. */
  async function openWatching(script?: ChaosScript) {
    const { clock, chaos, put } = open(script)
    const changes: string[] = []
    const context = { namespace: 'test', clock, random: seededRandom(2), maxKeyBytes: 512 }
    const listeners = { onWake: () => {}, onBus: () => {}, onReady: () => {} }
    const watching = {
      onChange: (change: Change) => changes.push(`${change.kind} ${change.sequence}`),
      onLive: (live: boolean) => changes.push(live ? 'live' : 'dead'),
    }
    chaos.open({ ...context, listeners, changes: watching })
    const other = chaos.open({ ...context, listeners })
    await clock.settle()
    return { clock, chaos, changes, change: () => put(other) }
  }
  const changesOnly = (...faults: readonly (Fault | undefined)[]): ChaosScript => inTurn({ change: faults })

  it('passes, and is remembered with its kind and the wake id of its key', async () => {
    const { chaos, changes, change } = await openWatching()
    const before = changes.length
    await change()
    const heard = changes.slice(before)
    expect(heard.every(each => each.startsWith('key'))).toBe(true)
    expect(chaos.count('change', 0)).toBe(heard.length)
    expect(chaos.calls.find(({ command }) => command === 'change')).toMatchObject({
      client: 0,
      key: '0:k',
      request: { kind: 'key', wakeId: '0:k' },
    })
  })

  it.each<readonly [string, Fault, string[]]>([
    ['is lost', lostRequest(), ['key 2']],
    ['comes late, after what was told later', slow(100), ['key 2', 'key 1']],
    ['comes twice', twice(), ['key 1', 'key 1', 'key 2']],
  ])('%s', async (_what, fault, expected) => {
    const { clock, changes, change } = await openWatching(changesOnly(fault))
    const before = changes.length
    await change()
    await clock.advance(200)
    expect(changes.slice(before, before + expected.length)).toEqual(expected)
  })

  it('is lost while the bus is down', async () => {
    const { chaos, changes, change } = await openWatching()
    chaos.setBus(false)
    const before = changes.length
    await change()
    expect(changes.slice(before)).toEqual([])
    chaos.setBus(true)
    expect(changes.slice(before - 1)).toEqual(['dead', 'live'])
  })
})
