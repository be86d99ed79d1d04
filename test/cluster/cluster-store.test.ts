import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readRecord } from '../../src/core/tags/namespace-record.ts'
import type { EntryKey, Store, StoreContext } from '../../src/core/ports.ts'
import { redisStore } from '../../src/redis/index.ts'
import { Keys } from '../../src/redis/keys.ts'
import { runScript } from '../../src/redis/script-runner.ts'
import * as scripts from '../../src/redis/scripts.gen.ts'
import { slotOf } from '../../src/redis/slot.ts'
import { storeContract } from '../../src/testing/index.ts'
import {
  acquire,
  callsOf,
  entryBytes,
  failure,
  newToken,
  type OpenStore,
  openStore,
  put,
  readHeader,
  until,
} from '../redis/fixture.ts'
import { type RedisCluster, startCluster } from '../redis-server.ts'

let cluster: RedisCluster
let admins: Redis[]

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 })
  admins = cluster.nodes.map(({ url }) => new Redis(url))
})
afterAll(async () => {
  for (const admin of admins) admin.disconnect()
  await cluster.stop()
})

const seeds = (): { host: string; port: number }[] => cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
const newCluster = (): Cluster => new Cluster(seeds(), { lazyConnect: true })
const newCluster5 = (): Cluster => new Cluster5(seeds(), { lazyConnect: true }) as unknown as Cluster
const keyOf = (index: number, version = 0): EntryKey => ({ key: `key:${index}`, version })
const timeoutMs = 2_000
const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0)

/** The admin client of the node that owns a key, and those that do not. */
async function ownersOf(slot: number): Promise<{ owner: Redis; others: Redis[] }> {
  for (const admin of admins) {
    const slots = (await admin.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
    const id = slots.find(([from, to]) => slot >= from && slot <= to)?.[2][2]
    if (id === (await admin.call('CLUSTER', 'MYID'))) return { owner: admin, others: admins.filter(other => other !== admin) }
  }
  throw new Error(`nobody owns slot ${slot}`)
}
const idOf = (admin: Redis): Promise<string> => admin.call('CLUSTER', 'MYID') as Promise<string>

describe.each([
  ['ioredis 6', newCluster],
  ['ioredis 5', newCluster5],
] as const)('the Redis store in a cluster, over %s', (_, create) => {
  const clients: Cluster[] = []
  const contract = storeContract({
    tellsChanges: false,
    open: context => {
      const client = create()
      clients.push(client)
      return redisStore(client, { breaker: false }).open(inOrder(context))
    },
  })
  afterAll(() => {
    for (const client of clients) client.disconnect()
  })
  it.concurrent.each(contract.map(each => [each.name, each.run] as const))('%s', async (__, run) => {
    await expect(run()).resolves.toBeUndefined()
  })
})

describe.each([
  ['ioredis 6', newCluster],
  ['ioredis 5', newCluster5],
] as const)('commands in a cluster, over %s', (_, create) => {
  let client: Cluster
  let open: OpenStore
  let store: Store
  let keys: Keys

  beforeEach(async () => {
    client = create()
    open = openStore(redisStore(client))
    store = open.store
    keys = new Keys(open.namespace, '', 0, 512)
    await until(() => open.ready.at(-1) === true && open.bus.at(-1) === true)
  })
  afterEach(async () => {
    await store.close()
    client.disconnect()
  })

  it('the first ones wait for the connections', async () => {
    const early = openStore(redisStore(client))
    const answers = await Promise.all(Array.from({ length: 30 }, (__, index) => early.store.read(keyOf(index), timeoutMs)))
    expect(answers).toEqual(Array.from({ length: 30 }, () => null))
    await early.store.close()
  })

  it('reads of one tick leave as one pipeline for each node', async () => {
    for (let index = 0; index < 64; index++) await put(store, keyOf(index), Buffer.from(`value ${index}`))
    for (const admin of admins) await admin.config('RESETSTAT')
    const values = await Promise.all(Array.from({ length: 64 }, (__, index) => store.read(keyOf(index), timeoutMs)))
    expect(values.map(String)).toEqual(Array.from({ length: 64 }, (__, index) => `value ${index}`))
    let gets = 0
    for (const admin of admins) {
      const calls = await callsOf(admin, 'get')
      gets += calls
      expect(calls).toBeGreaterThan(0)
      expect(await callsOf(admin, 'evalsha')).toBe(0)
    }
    // The namespace record is one more.
    expect(gets).toBe(65)
  })

  it('headers of one tick leave as one pipeline for each node', async () => {
    const bytes = entryBytes(newToken(), 60_000, Buffer.alloc(10_000))
    for (let index = 0; index < 64; index++) await put(store, keyOf(index), bytes)
    for (const admin of admins) await admin.config('RESETSTAT')
    const headers = await Promise.all(Array.from({ length: 64 }, (__, index) => readHeader(store, keyOf(index))))
    expect(headers).toEqual(Array.from({ length: 64 }, () => bytes.subarray(0, 76)))
    const calls = await Promise.all(
      admins.map(async admin => [await callsOf(admin, 'getrange'), await callsOf(admin, 'get')] as const),
    )
    expect([
      calls.every(([headersRead]) => headersRead > 0),
      sum(calls.map(([read]) => read)),
      sum(calls.map(([, read]) => read)),
    ]).toEqual([true, 64, 1])
  })

  it('tags and the whole namespace are invalidated for the keys of every node', async () => {
    const { epoch, sequence, generation } = readRecord(await store.stamp({ keepMs: 60_000, timeoutMs }))
    await store.bumpTags({ tags: ['red', 'blue'], timeoutMs })
    for (let index = 0; index < 9; index++) {
      await store.read(keyOf(index), timeoutMs)
      const record = readRecord(store.namespaceRecord ?? Buffer.alloc(24))
      expect(record.epoch).toEqual(epoch)
      expect(record.sequence).toBeGreaterThan(sequence)
      expect(await store.newestTag({ epoch, tags: ['red'], timeoutMs })).toBe(record.sequence)
    }
    await store.clear(timeoutMs)
    await Promise.all(Array.from({ length: 9 }, (__, index) => store.read(keyOf(index), timeoutMs)))
    expect(readRecord(store.namespaceRecord ?? Buffer.alloc(24)).generation).toBe(generation + 1)
    const found = await store.readMany?.([keyOf(1), keyOf(2), keyOf(3)], timeoutMs)
    expect(found).toHaveLength(3)
  })

  it('a moved slot is followed by reads, scripts and the next commands', async () => {
    const key = keyOf(1)
    const bytes = entryBytes()
    await put(store, key, bytes)
    const slot = keys.slot(key)
    const { owner, others } = await ownersOf(slot)
    const target = others[0] as Redis
    await moveSlot(slot, owner, target)
    const [header, read, acquired] = await Promise.all([
      readHeader(store, key),
      store.read(key, timeoutMs),
      acquire(store, key, newToken()),
    ])
    expect([header, read]).toEqual([bytes.subarray(0, 76), bytes])
    expect(acquired).toMatchObject({ kind: 'value' })
    await moveSlot(slot, target, owner)
    expect(await acquire(store, key, newToken(), { seen: 'any' })).toEqual({ kind: 'granted' })
    expect(await store.read(key, timeoutMs)).toEqual(bytes)
  })

  it('a key whose slot is on its way is read where it is', async () => {
    const [here, gone] = [keyOf(2), keyOf(2, 5)]
    const bytes = entryBytes()
    for (const key of [here, gone]) await put(store, key, bytes)
    const slot = keys.slot(here)
    const { owner, others } = await ownersOf(slot)
    const target = others[0] as Redis
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(owner))
    await owner.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(target))
    await owner.call('MIGRATE', '127.0.0.1', target.options.port as number, keys.value(gone), 0, 1_000)
    const reads = [here, gone, keyOf(4)].map(key => store.read(key, timeoutMs))
    const headers = [here, gone, keyOf(4)].map(key => readHeader(store, key))
    expect(await Promise.all(reads)).toEqual([bytes, bytes, null])
    expect(await Promise.all(headers)).toEqual([bytes.subarray(0, 76), bytes.subarray(0, 76), null])
    await finishMove(slot, owner, target)
    await moveSlot(slot, target, owner)
  })

  it('a script is tried again while only one of its keys has moved, until both have', async () => {
    const key = keyOf(3)
    await put(store, key, entryBytes())
    const token = newToken()
    await acquire(store, key, token, { seen: 'any' })
    const slot = keys.slot(key)
    const { owner, others } = await ownersOf(slot)
    const target = others[0] as Redis
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(owner))
    await owner.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(target))
    await owner.call('MIGRATE', '127.0.0.1', target.options.port as number, keys.value(key), 0, 1_000)
    const stuck = await failure(
      acquire(store, key, newToken(), { seen: 'any', timeoutMs: 60, notAfter: store.notAfter(key, 60) }),
    )
    expect(['STORE_UNAVAILABLE', 'STORE_TIMEOUT']).toContain(stuck.code)
    const waiting = acquire(store, key, newToken(), { seen: 'any' })
    await migrate(owner, target, slot)
    await finishMove(slot, owner, target)
    expect(await waiting).toMatchObject({ kind: 'busy', holder: token })
    await moveSlot(slot, target, owner)
  })

  it('wake-ups arrive from every node, and a killed subscriber finds another', async () => {
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 12; index++) {
        const key = keyOf(index)
        await acquire(store, key, newToken(), { seen: 'any' })
        await acquire(store, key, newToken(), { seen: 'any', wait: true })
        await store.remove({ ...key, timeoutMs })
      }
      // Heard at least once each: the subscriber that was killed and the one that follows it may both have heard one.
      const heard = (index: number): number => open.wakes.filter(wakeId => wakeId === store.wakeId(keyOf(index))).length
      await until(() => [...Array(12).keys()].every(index => heard(index) > round))
      expect(new Set(open.wakes).size).toBe(12)
      const before = open.bus.length
      for (const admin of admins) await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await until(() => open.bus.length >= before + 2 && open.bus.at(-1) === true)
    }
  })

  it('a killed connection is made again', async () => {
    for (const admin of admins) await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until(() => open.ready.includes(false) && open.ready.at(-1) === true)
    for (let index = 0; index < 12; index++) expect(await put(store, keyOf(index), entryBytes())).toBe('stored')
  })

  it('tell each node its own time', async () => {
    for (let index = 0; index < 12; index++) {
      const [seconds, micros] = (await (admins[0] as Redis).time()) as [number, number]
      const serverMs = seconds * 1000 + micros / 1000
      expect(store.now(keyOf(index))).toBeGreaterThanOrEqual(serverMs)
      expect(store.notAfter(keyOf(index), 0)).toBeLessThan(serverMs + 50)
    }
  })
})

describe('what the server checks in a cluster', () => {
  it('the slot of every key is the one the server computes', async () => {
    for (const name of ['a', '{a}b', 'a{', 'a{}b', 'x{p0001}:v:ü', '{{a}}', 'a}{b}', '\u{1f600}{é}']) {
      expect(slotOf(name), name).toBe(await (admins[0] as Redis).call('CLUSTER', 'KEYSLOT', name))
    }
    for (const prefix of ['', 'app:', 'a{b}c:', 'a{']) {
      const keys = new Keys('ns', prefix, 0, 512)
      for (const key of [keyOf(1), keyOf(2, 7), { key: '{x}', version: 0 }, { key: '}', version: 1 }]) {
        for (const name of keys.family(key))
          expect(await (admins[0] as Redis).call('CLUSTER', 'KEYSLOT', name)).toBe(keys.slot(key))
      }
    }
  })

  it('no script touches a key that it does not declare', async () => {
    const keys = new Keys('strict', '', 0, 512)
    const key = keyOf(1, 1)
    const { owner } = await ownersOf(keys.slot(key))
    const strict = <S extends { source: string; sha1: string }>(script: S): S => ({
      ...script,
      source: script.source.startsWith('#!lua') ? script.source : `#!lua\n${script.source}`,
      sha1: '0'.repeat(40),
    })
    const [value, lease] = keys.family(key)
    const token = newToken()
    const far = 8e15
    expect(await runScript(owner, strict(scripts.acquire), [value, lease], [token, 5_000, far, '', '', '1'])).toEqual([
      Buffer.from('granted'),
    ])
    expect(await runScript(owner, strict(scripts.acquire), [value, lease], [newToken(), 5_000, far, '', '', '1'])).toContainEqual(
      token,
    )
    expect(await runScript(owner, strict(scripts.renew), [lease], [token, 5_000])).toBe(1)
    const commit = [token, entryBytes(token), 5_000, far, keys.channel, 'm', keys.changes] as const
    expect(await runScript(owner, strict(scripts.commit), [value, lease], [...commit])).toEqual([Buffer.from('stored')])
    const release = [token, 'Q', 5_000, keys.channel, 'm'] as const
    expect(await runScript(owner, strict(scripts.release), [lease], [...release])).toBe(0)
    const putting = [entryBytes(), 5_000, far, keys.channel, keys.changes, 'm', 'm', 'm'] as const
    expect(await runScript(owner, strict(scripts.put), keys.family(key), [...putting])).toEqual([Buffer.from('stored')])
    expect(await runScript(owner, strict(scripts.expire), keys.family(key), [keys.channel, keys.changes, 'm', 'm', 'm'])).toBe(1)
    expect(await runScript(owner, strict(scripts.remove), keys.family(key), [keys.channel, keys.changes, 'm', 'm', 'm'])).toBe(1)
  })
})

describe('a cluster that loses a server', () => {
  it('fails what that one had at once, serves the rest, and closes', async () => {
    const own = await startCluster({ primaries: 3, args: ['--cluster-require-full-coverage', 'no'] })
    const client = new Cluster(
      own.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      { lazyConnect: true },
    )
    const { store, ready, bus } = openStore(redisStore(client))
    await until(() => ready.at(-1) === true && bus.at(-1) === true)
    const keys = Array.from({ length: 30 }, (_, index) => keyOf(index))
    process.kill(own.nodes[0]?.pid as number, 'SIGKILL')
    await until(() => ready.at(-1) === false)
    const outcomes = await Promise.allSettled(keys.map(key => put(store, key, entryBytes())))
    const failed = outcomes
      .filter(({ status }) => status === 'rejected')
      .map(outcome => (outcome as PromiseRejectedResult).reason)
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.length).toBeLessThan(keys.length)
    for (const error of failed) expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
    await until(() => bus.at(-1) === true)
    await store.close()
    client.disconnect()
    await own.stop()
  })
})

const overtakingMs = 200

/**
 * The suite takes a wake-up it sends itself for a sign that all earlier ones have come. Those of other servers of a cluster may come
 * later, so the sign is held back.
 */
function inOrder(context: StoreContext): StoreContext {
  const { onWake } = context.listeners
  const held = (wakeId: string): void => {
    if (wakeId.startsWith('0:heard-')) setTimeout(onWake, overtakingMs, wakeId)
    else onWake(wakeId)
  }
  return { ...context, listeners: { ...context.listeners, onWake: held } }
}

/** Moves what is in a slot, as a resharding does. */
async function migrate(owner: Redis, target: Redis, slot: number): Promise<void> {
  const names = (await owner.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[]
  if (names.length > 0) await owner.call('MIGRATE', '127.0.0.1', target.options.port as number, '', 0, 1_000, 'KEYS', ...names)
}

async function finishMove(slot: number, owner: Redis, target: Redis): Promise<void> {
  await migrate(owner, target, slot)
  const id = await idOf(target)
  for (const admin of [target, owner, ...admins]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)
}

async function moveSlot(slot: number, owner: Redis, target: Redis): Promise<void> {
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(owner))
  await owner.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(target))
  await finishMove(slot, owner, target)
}
