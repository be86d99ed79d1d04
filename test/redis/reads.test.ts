import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { callsOf, openStore, put, readHeader, versions } from './fixture.ts'

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

const timeoutMs = 2_000
const keyOf = (index: number): { key: string; version: number } => ({ key: `key:${index}`, version: 0 })

describe.each(versions)('reads over %s', (_, create) => {
  let client: Redis
  let store: Store
  let namespace: string

  beforeEach(async () => {
    client = create(server.url)
    ;({ store, namespace } = openStore(redisStore(client)))
    await store.ready(keyOf(0), timeoutMs)
    await store.read(keyOf(0), timeoutMs)
    return async () => {
      await store.close()
      client.disconnect()
    }
  })

  it('of one tick leave as one MGET and no script', async () => {
    for (let index = 0; index < 64; index++) await put(store, keyOf(index), Buffer.from(`value ${index}`))
    await admin.config('RESETSTAT')
    const values = await Promise.all(Array.from({ length: 64 }, (__, index) => store.read(keyOf(index), timeoutMs)))
    expect(values.map(String)).toEqual(Array.from({ length: 64 }, (__, index) => `value ${index}`))
    expect(await callsOf(admin, 'mget')).toBe(1)
    expect(await callsOf(admin, 'evalsha')).toBe(0)
    expect(await callsOf(admin, 'get')).toBe(0)
  })

  it('of more than 512 keys leave as commands of 512', async () => {
    await admin.config('RESETSTAT')
    await Promise.all(Array.from({ length: 1_200 }, (__, index) => store.read(keyOf(index), timeoutMs)))
    expect(await callsOf(admin, 'mget')).toBe(3)
  })

  it('of many keys at once are one MGET, and beyond 512 keys commands of 512', async () => {
    await put(store, keyOf(7), Buffer.from('value 7'))
    await admin.config('RESETSTAT')
    const read = async (count: number): Promise<(string | undefined)[]> => {
      const found = await store.readMany?.(
        Array.from({ length: count }, (__, index) => keyOf(index)),
        timeoutMs,
      )
      return (found ?? []).map(bytes => bytes?.toString())
    }
    expect(await read(512)).toEqual(Array.from({ length: 512 }, (__, index) => (index === 7 ? 'value 7' : undefined)))
    expect(await callsOf(admin, 'mget')).toBe(1)
    expect(await read(1_200)).toHaveLength(1_200)
    expect(await callsOf(admin, 'mget')).toBe(4)
    expect(await callsOf(admin, 'get')).toBe(0)
  })

  it('of large values leave in smaller commands once that is known', async () => {
    const big = Buffer.alloc(512 * 1024, 'x')
    for (let index = 0; index < 8; index++) await put(store, keyOf(index), big)
    const readAll = (): Promise<unknown> =>
      Promise.all(Array.from({ length: 8 }, (__, index) => store.read(keyOf(index), timeoutMs)))
    for (let round = 0; round < 8; round++) await readAll()
    await admin.config('RESETSTAT')
    await readAll()
    expect(await callsOf(admin, 'mget')).toBeGreaterThanOrEqual(4)
  })

  it('of one key share a place until they leave, and never afterwards', async () => {
    await put(store, keyOf(1), Buffer.from('old'))
    const first = store.read(keyOf(1), timeoutMs)
    expect(store.read(keyOf(1), timeoutMs)).toBe(first)
    await new Promise(process.nextTick)
    // The first read is on the wire by now, its answer not yet here.
    const overwritten = put(store, keyOf(1), Buffer.from('new'))
    const second = store.read(keyOf(1), timeoutMs)
    expect(second).not.toBe(first)
    expect(String(await first)).toBe('old')
    await overwritten
    expect(String(await store.read(keyOf(1), timeoutMs))).toBe('new')
  })

  it('find nothing where there is no key, or none that holds a string', async () => {
    expect(await store.read({ key: 'nobody', version: 0 }, timeoutMs)).toBeNull()
    await put(store, keyOf(2), Buffer.from('x'))
    const [name] = await admin.keys(`${namespace}:*:v:key:2`)
    await admin.del(name as string)
    await admin.rpush(name as string, 'x')
    expect(await store.read(keyOf(2), timeoutMs)).toBeNull()
    await admin.del(name as string)
  })

  it('of headers leave as one pipeline of GETRANGE in a tick, beside the whole reads of that tick', async () => {
    const bytes = Buffer.from(Array.from({ length: 20_000 }, (__, index) => index & 0xff))
    for (let index = 0; index < 64; index++) await put(store, keyOf(index), bytes)
    await admin.config('RESETSTAT')
    const headers = Promise.all(Array.from({ length: 64 }, (__, index) => readHeader(store, keyOf(index))))
    const whole = store.read(keyOf(0), timeoutMs)
    expect(await headers).toEqual(Array.from({ length: 64 }, () => bytes.subarray(0, 76)))
    expect(await whole).toEqual(bytes)
    // One more for the namespace record.
    expect([await callsOf(admin, 'getrange'), await callsOf(admin, 'mget'), await callsOf(admin, 'get')]).toEqual([65, 1, 0])
  })

  it('of one header share a place until they leave, and never afterwards', async () => {
    await put(store, keyOf(1), Buffer.from('old'))
    const first = readHeader(store, keyOf(1))
    expect(readHeader(store, keyOf(1))).toBe(first)
    await new Promise(process.nextTick)
    const overwritten = put(store, keyOf(1), Buffer.from('new'))
    expect(readHeader(store, keyOf(1))).not.toBe(first)
    expect(String(await first)).toBe('old')
    await overwritten
    expect(String(await readHeader(store, keyOf(1)))).toBe('new')
  })

  it('of headers find nothing where there is no key, or none that holds a string', async () => {
    expect(await readHeader(store, { key: 'nobody', version: 0 })).toBeNull()
    await put(store, keyOf(2), Buffer.from('x'))
    const [name] = await admin.keys(`${namespace}:*:v:key:2`)
    await admin.del(name as string)
    await admin.rpush(name as string, 'x')
    expect(await readHeader(store, keyOf(2))).toBeNull()
    await admin.del(name as string)
  })

  it('give back every byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (__, index) => index & 0xff))
    await put(store, keyOf(3), bytes)
    expect(await store.read(keyOf(3), timeoutMs)).toEqual(bytes)
  })

  it('and scripts travel on two connections, named for their namespace', async () => {
    const names = String(await admin.call('CLIENT', 'LIST')).match(/name=leasehold:\S+/g) ?? []
    expect(new Set(names.map(name => name.split(':').at(-1)))).toEqual(new Set(['bus', 'reads', 'scripts']))
    expect(names).toHaveLength(3)
  })
})
