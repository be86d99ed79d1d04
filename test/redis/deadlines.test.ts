import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import type { EntryKey, Store } from '../../src/core/ports.ts'
import { redisStore } from '../../src/redis/index.ts'
import { freePort } from '../../scripts/start-redis.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { acquire, callsOf, entryBytes, failure, newToken, type OpenStore, openStore, put, until, versions } from './fixture.ts'

const key: EntryKey = { key: 'k', version: 0 }

describe.each(versions)('a server that stops answering, over %s', (_, create) => {
  let server: RedisServer
  let admin: Redis
  let client: Redis
  let open: OpenStore
  let store: Store

  beforeAll(async () => {
    server = await startRedis()
    admin = new Redis(server.url)
    client = create(server.url)
  })
  afterAll(async () => {
    admin.disconnect()
    client.disconnect()
    await server.stop()
  })
  beforeEach(async () => {
    open = openStore(redisStore(client))
    store = open.store
    await until(() => open.ready.at(-1) === true && open.bus.at(-1) === true)
  })
  afterEach(async () => {
    process.kill(server.pid, 'SIGCONT')
    await store.close()
  })

  it('makes commands fail at their deadline with an unknown outcome', async () => {
    const notAfter = store.notAfter(key, 100)
    process.kill(server.pid, 'SIGSTOP')
    const startedAt = performance.now()
    const commands = [
      store.read(key, 100),
      store.acquire({ ...key, token: newToken(), leaseMs: 1_000, seen: [], dead: [], wait: false, timeoutMs: 100, notAfter }),
      store.remove({ ...key, timeoutMs: 100 }),
    ]
    for (const failed of commands.map(command => failure(command))) {
      expect(await failed).toMatchObject({ code: 'STORE_TIMEOUT', outcome: 'unknown' })
    }
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(99)
  })

  it('gives each read of a batch its own time', async () => {
    process.kill(server.pid, 'SIGSTOP')
    const short = failure(store.read(key, 50))
    const long = store.read({ key: 'other', version: 0 }, 5_000)
    expect(await short).toMatchObject({ code: 'STORE_TIMEOUT' })
    process.kill(server.pid, 'SIGCONT')
    expect(await long).toBeNull()
  })

  it('changes nothing by commands that it takes up after their notAfter', async () => {
    const token = newToken()
    await acquire(store, key, token)
    process.kill(server.pid, 'SIGSTOP')
    const failures = [
      failure(put(store, key, entryBytes(), 60)),
      failure(
        store.commit({
          ...key,
          token,
          bytes: entryBytes(token),
          keepMs: 60_000,
          timeoutMs: 60,
          notAfter: store.notAfter(key, 60),
        }),
      ),
      failure(acquire(store, { key: 'free', version: 0 }, newToken(), { timeoutMs: 60, notAfter: store.notAfter(key, 60) })),
    ]
    for (const failed of failures) expect(await failed).toMatchObject({ code: 'STORE_TIMEOUT' })
    const late = Date.now() + 80
    await until(() => Date.now() > late)
    process.kill(server.pid, 'SIGCONT')
    // Scripts are answered in the order they were sent.
    expect(await store.renew({ ...key, token, leaseMs: 5_000, timeoutMs: 2_000 })).toBe(true)
    expect(await store.read(key, 2_000)).toBeNull()
    const names = await admin.keys(`${open.namespace}:*`)
    expect(names.map(name => name.split(':').slice(2))).toEqual([['l', 'k']])
  })

  it('is left for a new connection after some seconds of silence, and is sent nothing twice when it wakes', async () => {
    await acquire(store, key, newToken())
    await admin.config('RESETSTAT')
    process.kill(server.pid, 'SIGSTOP')
    const sent = failure(acquire(store, key, newToken(), { timeoutMs: 60, notAfter: 8e15 }))
    expect(await sent).toMatchObject({ code: 'STORE_TIMEOUT', outcome: 'unknown' })
    await until(() => open.ready.at(-1) === false && open.bus.at(-1) === false)
    expect(await failure(store.read(key, 100))).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
    process.kill(server.pid, 'SIGCONT')
    await until(() => open.ready.at(-1) === true && open.bus.at(-1) === true)
    expect(await store.read(key, 2_000)).toBeNull()
    expect(await callsOf(admin, 'evalsha')).toBe(1)
  })

  it('does not turn an event-loop stall into a timeout when the answer lies in the socket', async () => {
    await put(store, key, Buffer.from('here'))
    await store.remove({ key: 'other', version: 0, timeoutMs: 2_000 })
    const read = store.read(key, 60)
    const removed = store.remove({ key: 'other', version: 0, timeoutMs: 60 })
    await new Promise(setImmediate)
    const blockedUntil = performance.now() + 200
    while (performance.now() < blockedUntil);
    expect(String(await read)).toBe('here')
    await removed
  })

  it('loses the connection: what was in flight is unknown, what comes next is not sent, and nothing is sent twice', async () => {
    await acquire(store, key, newToken())
    await admin.config('RESETSTAT')
    await admin.call('CLIENT', 'PAUSE', '300', 'ALL')
    const token = newToken()
    const inFlight = [failure(store.read(key, 2_000)), failure(acquire(store, key, token))]
    await new Promise(setImmediate)
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    for (const failed of inFlight) expect(await failed).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'unknown' })
    expect(await failure(store.remove({ ...key, timeoutMs: 100 }))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'not-executed',
    })
    await until(() => open.ready.at(-1) === true)
    await store.read(key, 2_000)
    expect(await callsOf(admin, 'evalsha')).toBeLessThanOrEqual(1)
    expect(await callsOf(admin, 'eval')).toBe(0)
  })
})

describe('a refusal', () => {
  let server: RedisServer
  let admin: Redis
  beforeAll(async () => {
    server = await startRedis()
    admin = new Redis(server.url)
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })

  it('of a password is told by every call, at once, and does not repeat the password', async () => {
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>right', '~*', '&*', '+@all')
    const warnings: Error[] = []
    const listen = (warning: Error): number => warnings.push(warning)
    process.on('warning', listen)
    for (const [name, create] of versions) {
      const client = create(server.url.replace('//', '//app:secret@'))
      client.on('error', () => {})
      const { store, ready } = openStore(redisStore(client))
      const error = await failure(store.read(key, 2_000))
      expect(error, name).toMatchObject({ code: 'STORE_REFUSED', outcome: 'not-executed' })
      expect(await failure(store.remove({ ...key, timeoutMs: 2_000 })), name).toMatchObject({ code: 'STORE_REFUSED' })
      expect(JSON.stringify(error) + error.message + String(error.stack) + String(error.cause)).not.toContain('secret')
      expect(ready).toEqual([false])
      await store.close()
      client.disconnect()
    }
    process.off('warning', listen)
    expect(warnings.map(warning => (warning as NodeJS.ErrnoException).code)).toContain('STORE_REFUSED')
  })

  it('of a command is told by that call, without its arguments', async () => {
    await admin.call('ACL', 'SETUSER', 'poor', 'on', '>pw', '~*', '&*', '+@all', '-evalsha', '-eval')
    const { store } = openStore(redisStore(server.url.replace('//', '//poor:pw@')))
    expect(await store.read(key, 2_000)).toBeNull()
    const error = await failure(store.remove({ key: 'private', version: 0, timeoutMs: 2_000 }))
    expect(error).toMatchObject({ code: 'STORE_REFUSED', outcome: 'not-executed' })
    expect(error.cause).toBeUndefined()
    expect(error.message).not.toContain('private')
    await store.close()
  })

  it('of writes, by a replica, is told by that call until the connection has found out', async () => {
    const { store, ready } = openStore(redisStore(server.url))
    await until(() => ready.at(-1) === true)
    await admin.replicaof('127.0.0.1', await freePort())
    const error = await failure(put(store, key, entryBytes()))
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
    await until(() => ready.at(-1) === false)
    const readFails = (): Promise<boolean> =>
      store.read(key, 2_000).then(
        () => false,
        () => true,
      )
    await until(readFails)
    expect(await failure(store.read(key, 2_000))).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
    await admin.replicaof('NO', 'ONE')
    await until(() => ready.at(-1) === true)
    expect(await put(store, key, entryBytes())).toBe('stored')
    await store.close()
  })

  it('is always a StoreError', async () => {
    const { store } = openStore(redisStore(`redis://127.0.0.1:${await freePort()}`))
    expect(await failure(store.read(key, 500))).toBeInstanceOf(StoreError)
    await store.close()
  })
})
