import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EntryKey } from '../../src/core/ports.ts'
import { redisStore } from '../../src/redis/index.ts'
import { freePort } from '../../scripts/start-redis.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { callsOf, entryBytes, openStore, put, until, versions } from './fixture.ts'

const key: EntryKey = { key: 'k', version: 0 }
let server: RedisServer
let admin: Redis

beforeEach(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
})
afterEach(async () => {
  admin.disconnect()
  await server.stop()
})

/** Every command that the server is sent, with the address that it comes from. */
async function monitored(): Promise<{ readonly commands: string[]; stop(): void }> {
  const template = new Redis(server.url)
  const watching = await template.monitor()
  template.disconnect()
  const commands: string[] = []
  watching.on(
    'monitor',
    (_: string, [name = '']: string[], source: string) => void commands.push(`${name.toLowerCase()} ${source}`),
  )
  return { commands, stop: () => watching.disconnect() }
}

describe.each(versions)('a primary that is demoted and keeps its connections open, over %s', (_, create) => {
  it('is noticed by the next ROLE, which each connection asks for once a second, though nothing is written', async () => {
    const client = create(server.url)
    const { store, ready } = openStore(redisStore(client))
    await until(() => ready.at(-1) === true)
    await put(store, key, entryBytes())
    const watch = await monitored()
    // Quiet, but for its own questions: a round of them is over.
    const before = await callsOf(admin, 'role')
    await until(async () => (await callsOf(admin, 'role')) >= before + 4)
    await admin.replicaof('127.0.0.1', await freePort())
    // Monitors are not told of the command above.
    await admin.echo('demoted')
    await until(() => ready.at(-1) === false)
    const asked = (): string[] => {
      const from = watch.commands.findIndex(command => command.startsWith('echo '))
      return from === -1 ? [] : watch.commands.slice(from).filter(command => command.startsWith('role '))
    }
    await until(() => asked().length > 0)
    const [first = ''] = asked()
    // Who has asked is gone with the answer: its socket asks nothing any more.
    await until(async () => !String(await admin.call('CLIENT', 'LIST')).includes(`addr=${first.split(' ')[1]} `))
    expect(asked().filter(command => command === first)).toHaveLength(1)
    expect(await store.read(key, 500).catch(({ code }: { code: string }) => code)).toBe('STORE_UNAVAILABLE')
    await admin.replicaof('NO', 'ONE')
    await until(() => ready.at(-1) === true)
    watch.stop()
    await store.close()
    client.disconnect()
  })
})

describe('the connections of a provider', () => {
  it('are three, and say what they are for', async () => {
    const { store, ready, bus, namespace } = openStore(redisStore(server.url))
    await until(() => ready.at(-1) === true && bus.at(-1) === true)
    const names = [...String(await admin.call('CLIENT', 'LIST')).matchAll(/ name=(leasehold:\S+)/g)].map(([, name]) => name)
    expect(new Set(names)).toEqual(new Set(['bus', 'reads', 'scripts'].map(part => `leasehold:${namespace}:${part}`)))
    expect(names).toHaveLength(3)
    await store.close()
  })
})
