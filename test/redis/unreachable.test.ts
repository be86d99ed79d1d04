import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Cluster } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import type { EntryKey } from '../../src/core/ports.ts'
import { redisStore } from '../../src/redis/index.ts'
import { freePort } from '../../scripts/start-redis.ts'
import { startRedis } from '../redis-server.ts'
import { failure, openStore, put, entryBytes, until } from './fixture.ts'
import { leaseholdWarnings } from './warnings.ts'

const key: EntryKey = { key: 'k', version: 0 }
const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** A server of another kind; answers every connection as `greet` does. */
async function otherServer(greet: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    greet(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stops.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return `redis://127.0.0.1:${address.port}`
}

const silence = (): void => {}
const http = (socket: Socket): void => void socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))

describe('a server that was never reached', () => {
  it.each<[string, () => Promise<string>, string]>([
    ['refuses', async () => `redis://127.0.0.1:${await freePort()}`, 'Redis cannot be reached (ECONNREFUSED)'],
    ['has no address', async () => 'redis://no-such-host.invalid', 'Redis cannot be reached (E'],
    ['says nothing', () => otherServer(silence), 'Redis cannot be reached (it does not answer)'],
    ['hangs up', () => otherServer(socket => void socket.end()), 'Redis cannot be reached ('],
    ['is no Redis', () => otherServer(http), 'Redis cannot be reached (the server does not speak Redis)'],
  ])('is told once, and warned of once per provider: one that %s', async (_, urlOf, message) => {
    const warnings = leaseholdWarnings()
    const provider = redisStore(await urlOf())
    const first = openStore(provider)
    await until(() => first.ready.length > 0 && first.bus.length > 0)
    const late = openStore(provider)
    await until(() => late.ready.length > 0 && late.bus.length > 0)
    await failure(first.store.read(key, 500))
    await Promise.all([first.store.close(), late.store.close()])
    const again = openStore(provider)
    await until(() => again.ready.length > 0)
    await again.store.close()
    expect([first, late, again].map(({ ready }) => ready)).toEqual([[false], [false], [false]])
    expect([first.bus, late.bus]).toEqual([[false], [false]])
    expect(warnings).toEqual([expect.stringContaining(message)])
    expect(warnings[0]).toMatch(/: the cache answers without it$/)
  })

  it('is told of a cluster too', async () => {
    const warnings = leaseholdWarnings()
    const client = new Cluster([{ host: '127.0.0.1', port: await freePort() }], { lazyConnect: true })
    const { store, ready, bus } = openStore(redisStore(client))
    await until(() => ready.length > 0 && bus.length > 0)
    await store.close()
    client.disconnect()
    expect([ready, bus]).toEqual([[false], [false]])
    expect(warnings).toEqual([expect.stringMatching(/^Redis cannot be reached: the cache answers without it$/)])
  })

  it('is told when it comes, and when it goes without a further warning', async () => {
    const warnings = leaseholdWarnings()
    const port = await freePort()
    const { store, ready, bus } = openStore(redisStore(`redis://127.0.0.1:${port}`))
    await until(() => ready.length > 0 && bus.length > 0)
    const server = await startRedis({ port })
    await until(() => ready.length > 1 && bus.length > 1)
    await server.stop()
    await until(() => ready.length > 2 && bus.length > 2)
    await store.close()
    expect([ready, bus]).toEqual([
      [false, true, false],
      [false, true, false],
    ])
    expect(warnings).toHaveLength(1)
  })
})

describe('a server that is reached at once', () => {
  it('is never told to be down', async () => {
    const warnings = leaseholdWarnings()
    const server = await startRedis()
    const { store, ready, bus } = openStore(redisStore(server.url))
    await until(() => ready.length > 0 && bus.length > 0)
    await store.close()
    await server.stop()
    expect([ready, bus, warnings]).toEqual([[true], [true], []])
  })
})

describe('calls that fail for the same reason', () => {
  it('each get an error of their own, with their own stack', async () => {
    const { store } = openStore(redisStore(`redis://127.0.0.1:${await freePort()}`))
    const calls = (): Promise<unknown>[] => [
      store.read(key, 500),
      store.read({ ...key, key: 'other' }, 500),
      store.remove({ ...key, timeoutMs: 500 }),
      put(store, key, entryBytes()),
    ]
    const errors = [...(await Promise.all(calls().map(failure))), ...(await Promise.all(calls().map(failure)))]
    expect(new Set(errors).size).toBe(errors.length)
    expect(new Set(errors.map(({ code, outcome }) => `${code} ${outcome}`))).toEqual(new Set(['STORE_UNAVAILABLE not-executed']))
    await store.close()
  })
})

describe('after close()', () => {
  const script = fileURLToPath(new URL('close-script.ts', import.meta.url))
  const run = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...args], { timeout: 12_000 }))
      .stdout

  it.each<[string, () => Promise<string>]>([
    ['refuses', async () => `redis://127.0.0.1:${await freePort()}`],
    ['says nothing', () => otherServer(silence)],
    ['hangs up', () => otherServer(socket => void socket.end())],
    ['is no Redis', () => otherServer(http)],
  ])('nothing keeps the process: with a server that %s', async (_, urlOf) => {
    expect(await run('single', await urlOf())).toBe('')
  })

  it('nor with a cluster that is not there', async () => {
    expect(await run('cluster', `redis://127.0.0.1:${await freePort()}`)).toBe('')
  })
})
