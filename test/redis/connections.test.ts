import { createServer, type Server, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isLeaseholdError } from '../../src/core/errors.ts'
import type { EntryKey } from '../../src/core/ports.ts'
import { redisStore } from '../../src/redis/index.ts'
import { freePort } from '../../scripts/start-redis.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'
import { acquire, callsOf, entryBytes, failure, newToken, openStore, put, until, versions } from './fixture.ts'

const key: EntryKey = { key: 'k', version: 0 }
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

const clientNames = async (): Promise<string[]> =>
  [...String(await admin.call('CLIENT', 'LIST')).matchAll(/ name=(\S+)/g)].map(([, name]) => name as string)
const ownConnections = async (): Promise<string[]> => (await clientNames()).filter(name => name.startsWith('leasehold:'))

describe.each(versions)('over a client of %s', (_, create) => {
  it('the first calls after opening wait for the connection', async () => {
    const client = create(server.url)
    const { store } = openStore(redisStore(client))
    expect(store.now(key)).toBeNaN()
    const [bytes, acquired, stored] = await Promise.all([
      store.read(key, 2_000),
      acquire(store, key, newToken()),
      put(store, { key: 'other', version: 0 }, entryBytes()),
    ])
    expect(bytes).toBeNull()
    expect(acquired).toEqual({ kind: 'granted' })
    expect(stored).toBe('stored')
    await store.close()
    client.disconnect()
  })

  it("the caller's client stays as it is", async () => {
    const client = create(server.url)
    await client.ping()
    const before = { ...client.options }
    const listeners = client.eventNames().map(name => [name, client.listenerCount(name)])
    const { store, bus } = openStore(redisStore(client))
    await put(store, key, entryBytes())
    await until(() => bus.at(-1) === true)
    await store.close()
    expect(client.options).toEqual(before)
    expect(client.eventNames().map(name => [name, client.listenerCount(name)])).toEqual(listeners)
    expect(Object.keys(client).filter(name => name in { acquire: 0, commit: 0 })).toEqual([])
    expect(client.status).toBe('ready')
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })

  it('its key prefix and database apply to keys and to the channel', async () => {
    const plain = create(server.url)
    const client = plain.duplicate({ keyPrefix: 'app:', db: 3 })
    const here = openStore(redisStore(client))
    const elsewhere = openStore(redisStore(plain), here.namespace)
    const other = openStore(redisStore(plain.duplicate({ keyPrefix: 'app:' })), here.namespace)
    await until(() => [here, elsewhere, other].every(({ bus }) => bus.at(-1) === true))
    await acquire(here.store, key, newToken())
    await acquire(here.store, key, newToken(), { wait: true })
    const inThree = plain.duplicate({ db: 3 })
    expect(await inThree.keys('*')).toEqual([`app:${here.namespace}:{p0260}:l:k`])
    await here.store.remove({ ...key, timeoutMs: 2_000 })
    await until(() => here.wakes.length > 0)
    expect(here.wakes).toEqual(['0:k'])
    expect([...elsewhere.wakes, ...other.wakes]).toEqual([])
    await Promise.all([here, elsewhere, other].map(({ store }) => store.close()))
    for (const each of [plain, client, inThree]) each.disconnect()
  })

  it('its settings do not: neither offline queue, pipelining, timeouts nor numbers as text', async () => {
    const plain = create(server.url)
    const client = plain.duplicate({ enableAutoPipelining: true, commandTimeout: 1, stringNumbers: true, readOnly: false })
    client.on('error', () => {})
    const { store } = openStore(redisStore(client))
    await acquire(store, key, newToken())
    expect(await acquire(store, key, newToken())).toMatchObject({ kind: 'busy', remainingMs: expect.any(Number) })
    await store.close()
    plain.disconnect()
    client.disconnect()
  })
})

describe('one provider', () => {
  it('shares three connections among its caches, and closes them with the last', async () => {
    const provider = redisStore(server.url)
    // The server notices the end of earlier ones in its own time.
    await until(async () => (await ownConnections()).length === 0)
    const first = openStore(provider)
    const second = openStore(provider)
    await until(() => [first, second].every(({ bus, ready }) => bus.at(-1) === true && ready.at(-1) === true))
    expect(await ownConnections()).toHaveLength(3)
    await first.store.close()
    await first.store.close()
    expect(await second.store.read(key, 2_000)).toBeNull()
    expect(await failure(first.store.read(key, 2_000))).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
    await second.store.close()
    await until(async () => (await ownConnections()).length === 0)
  })

  it('can be opened again, and tells each cache of its own that it is ready', async () => {
    const provider = redisStore(server.url)
    const first = openStore(provider)
    await until(() => first.ready.at(-1) === true)
    const late = openStore(provider, first.namespace)
    await until(() => late.ready.at(-1) === true && late.bus.at(-1) === true)
    await Promise.all([first.store.close(), late.store.close()])
    const again = openStore(provider)
    expect(await again.store.read(key, 2_000)).toBeNull()
    await again.store.close()
  })

  it('closes at once, whatever its connections are doing', async () => {
    const { store } = openStore(redisStore(server.url))
    await store.close()
    const nowhere = openStore(redisStore(`redis://127.0.0.1:${await freePort()}`))
    await failure(nowhere.store.read(key, 2_000))
    await nowhere.store.close()
    expect(await ownConnections()).toEqual([])
  })

  it('does no I/O before it is opened, and says what it cannot take', async () => {
    const before = await callsOf(admin, 'client\\|setinfo')
    redisStore(server.url)
    redisStore({ host: '127.0.0.1', port: server.port })
    expect(await callsOf(admin, 'client\\|setinfo')).toBe(before)
    for (const wrong of ['localhost', 'http://x', null, 5, { duplicate: 1 }]) {
      const thrown = (() => {
        try {
          redisStore(wrong as string)
        } catch (error) {
          return error
        }
      })()
      expect(isLeaseholdError(thrown, 'INVALID_OPTION')).toBe(true)
    }
  })
})

describe('a user who may do little', () => {
  it('is enough', async () => {
    const namespace = ownNamespace()
    const inScripts = ['get', 'set', 'getrange', 'setrange', 'del', 'unlink', 'pttl', 'pexpire', 'publish', 'time']
    const sent = ['ping', 'role', 'mget', 'eval', 'evalsha', 'subscribe', 'unsubscribe', 'client|setname']
    const commands = [...inScripts, ...sent].map(command => `+${command}`)
    await admin.call('ACL', 'SETUSER', 'little', 'reset', 'on', '>pw', `~${namespace}:*`, `&${namespace}:*`, ...commands)
    const { store, ready, bus } = openStore(redisStore(server.url.replace('//', '//little:pw@')), namespace)
    await until(() => ready.at(-1) === true && bus.at(-1) === true)
    const token = newToken()
    expect(await acquire(store, key, token)).toEqual({ kind: 'granted' })
    expect(await acquire(store, key, newToken(), { wait: true })).toMatchObject({ kind: 'busy' })
    expect(await store.renew({ ...key, token, leaseMs: 5_000, timeoutMs: 2_000 })).toBe(true)
    const commit = { ...key, token, bytes: entryBytes(token), keepMs: 60_000, timeoutMs: 2_000 }
    expect(await store.commit({ ...commit, notAfter: store.notAfter(key, 2_000) })).toBe('stored')
    expect(await store.release({ ...key, token, marker: { kind: 'none' }, timeoutMs: 2_000 })).toBe(false)
    expect(await put(store, key, entryBytes())).toBe('stored')
    expect(await store.expire({ ...key, timeoutMs: 2_000 })).toBe(true)
    expect(await store.read(key, 2_000)).toEqual(expect.any(Buffer))
    await store.remove({ ...key, timeoutMs: 2_000 })
    await store.close()
  })
})

describe('the bus', () => {
  it('goes down with its connection and comes back subscribed', async () => {
    const { store, bus, wakes } = openStore(redisStore(server.url))
    await until(() => bus.at(-1) === true)
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await until(() => bus.length >= 3)
    expect(bus).toEqual([true, false, true])
    await acquire(store, key, newToken())
    await acquire(store, key, newToken(), { wait: true })
    await store.remove({ ...key, timeoutMs: 2_000 })
    await until(() => wakes.length === 1)
    await store.close()
  })

  it('ignores what is no wake-up of ours', async () => {
    const { store, bus, wakes, namespace } = openStore(redisStore(server.url))
    await until(() => bus.at(-1) === true)
    const head = Buffer.from([1, 0x77, 0, 0])
    const foreign = [
      Buffer.alloc(0),
      Buffer.from('hello, everybody'),
      head,
      Buffer.concat([Buffer.from([2, 0x77, 0, 0]), Buffer.from('k')]),
      Buffer.concat([Buffer.from([1, 0x78, 0, 0]), Buffer.from('k')]),
      Buffer.concat([head, Buffer.from([0xff, 0xfe])]),
      Buffer.concat([head, Buffer.alloc(10_000, 'x')]),
    ]
    for (const message of foreign) await admin.publish(`${namespace}:bus`, message)
    await admin.publish(`${namespace}:bus`, Buffer.concat([Buffer.from([1, 0x77, 1, 2]), Buffer.from('end')]))
    await until(() => wakes.length > 0)
    expect(wakes).toEqual(['258:end'])
    await store.close()
  })
})

describe('when nothing is there yet', () => {
  it('calls fail as soon as the first attempt has, and are served once the server is up', async () => {
    const port = await freePort()
    const { store, ready, bus } = openStore(redisStore(`redis://127.0.0.1:${port}`))
    const startedAt = performance.now()
    expect(await failure(store.read(key, 5_000))).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    const late = await startRedis({ port })
    await until(() => ready.at(-1) === true && bus.at(-1) === true)
    expect(await store.read(key, 2_000)).toBeNull()
    await store.close()
    await late.stop()
  })

  it('a server that is too old, or no server of ours, is named', async () => {
    const old = await fakeServer('6.2.14')
    const { store, ready } = openStore(redisStore(`redis://127.0.0.1:${old.port}`))
    const commands = [store.read(key, 2_000), store.remove({ ...key, timeoutMs: 2_000 }), put(store, key, entryBytes())]
    for (const error of await Promise.all(commands.map(command => failure(command)))) {
      expect(error).toMatchObject({ code: 'STORE_UNSUPPORTED', outcome: 'not-executed' })
      expect(error.message).toContain('redis 6.2.14')
    }
    expect(ready).toEqual([false])
    await store.close()
    await old.stop()
  })

  it('Valkey is welcome whatever its version', async () => {
    const valkey = await fakeServer('1.0.0', 'valkey')
    const { store } = openStore(redisStore(`redis://127.0.0.1:${valkey.port}`))
    await store.ready(key, 2_000)
    expect(Math.abs(store.now(key) - 1_700_000_000_000)).toBeLessThan(5_000)
    expect(Math.abs(store.notAfter(key, 0) - 1_700_000_000_000)).toBeLessThan(5_000)
    await store.close()
    await valkey.stop()
  })
})

describe("the server's time", () => {
  it('is never behind and never ahead beyond a round trip, and no client clock decides', async () => {
    const { store } = openStore(redisStore(server.url))
    await store.read(key, 2_000)
    for (let round = 0; round < 50; round++) {
      const [seconds, micros] = (await admin.time()) as [number, number]
      const before = seconds * 1000 + micros / 1000
      expect(store.now(key)).toBeGreaterThanOrEqual(before)
      const notAfter = store.notAfter(key, 0)
      const [s, us] = (await admin.time()) as [number, number]
      expect(notAfter).toBeLessThanOrEqual(s * 1000 + us / 1000)
    }
    await store.close()
  })
})

interface FakeServer {
  readonly port: number
  stop(): Promise<void>
}

/** Answers the questions of a new connection as some other server would. */
async function fakeServer(version: string, name = 'redis'): Promise<FakeServer> {
  const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
  const replies: Readonly<Record<string, string>> = {
    hello: `*6\r\n${['server', name, 'version', version, 'role', 'master'].map(bulk).join('')}`,
    role: `*1\r\n${bulk('master')}`,
    time: `*2\r\n${bulk('1700000000')}${bulk('0')}`,
    ping: '+PONG\r\n',
  }
  const sockets = new Set<Socket>()
  const fake: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', data => {
      const commands = data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)
      for (const [, command] of commands) socket.write(replies[(command as string).toLowerCase()] ?? '+OK\r\n')
    })
  })
  await new Promise<void>(resolve => void fake.listen(0, '127.0.0.1', resolve))
  const address = fake.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  const stop = (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>(resolve => void fake.close(() => resolve()))
  }
  return { port: address.port, stop }
}

describe('neighbouring versions', () => {
  it('are revoked by put and remove, and woken by their own names', async () => {
    const { store, bus, wakes } = openStore(redisStore(server.url))
    await until(() => bus.at(-1) === true)
    const version = (n: number): EntryKey => ({ key: 'k', version: n })
    for (const n of [1, 2, 3, 4]) await put(store, version(n), entryBytes())
    const values = await Promise.all([1, 2, 3, 4].map(n => store.read(version(n), 2_000)))
    expect(values.map(value => value !== null)).toEqual([false, false, false, true])
    for (const n of [1, 2, 3]) {
      await acquire(store, version(n), newToken(), { seen: 'any' })
      await acquire(store, version(n), newToken(), { seen: 'any', wait: true })
    }
    await store.remove({ ...version(2), timeoutMs: 2_000 })
    await until(() => wakes.length >= 3)
    expect(wakes).toEqual(['2:k', '1:k', '3:k'])
    expect(await store.read(version(4), 2_000)).toEqual(expect.any(Buffer))
    await put(store, version(65_535), entryBytes())
    await put(store, version(0), entryBytes())
    await store.close()
  })
})
