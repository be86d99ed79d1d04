import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EntryKey } from '../../src/core/ports.ts'
import { redisStore } from '../../src/redis/index.ts'
import * as scripts from '../../src/redis/scripts.gen.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { acquire, entryBytes, newToken, type OpenStore, openStore, put, until } from './fixture.ts'

let server: RedisServer
let admin: Redis
let open: OpenStore
let key: EntryKey
let valueKey: string
let leaseKey: string

beforeAll(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
})
afterAll(async () => {
  admin.disconnect()
  await server.stop()
})
beforeEach(async () => {
  await admin.config('SET', 'maxmemory', '0')
  open = openStore(redisStore(server.url))
  key = { key: 'k', version: 1 }
  await put(open.store, key, entryBytes())
  valueKey = (await admin.keys(`${open.namespace}:*`))[0] as string
  leaseKey = valueKey.replace(':v1:', ':l1:')
  await until(() => open.bus.at(-1) === true)
  return () => open.store.close()
})

const fill = (): Promise<unknown> => admin.config('SET', 'maxmemory', '1')
const args = { timeoutMs: 2_000, keepMs: 60_000 }

describe('on a server that is full and evicts nothing', () => {
  it('acquire grants nothing and says full', async () => {
    await admin.del(valueKey)
    await fill()
    expect(await acquire(open.store, key, newToken())).toEqual({ kind: 'full' })
    expect(await admin.exists(leaseKey)).toBe(0)
  })

  it('acquire still answers with a fresh value, and says busy though the waiter bit cannot be set', async () => {
    const holder = newToken()
    await acquire(open.store, key, holder, { seen: 'any' })
    await fill()
    expect(await acquire(open.store, key, newToken())).toMatchObject({ kind: 'value' })
    expect(await acquire(open.store, key, newToken(), { seen: 'any', wait: true })).toMatchObject({ kind: 'busy', holder })
  })

  it('commit says full, ends the lease, wakes who waits, and leaves the old value', async () => {
    const token = newToken()
    await acquire(open.store, key, token, { seen: 'any' })
    await acquire(open.store, key, newToken(), { seen: 'any', wait: true })
    const before = await admin.getBuffer(valueKey)
    await fill()
    const notAfter = open.store.notAfter(key, 2_000)
    expect(await open.store.commit({ ...key, ...args, token, notAfter, bytes: entryBytes(token) })).toBe('full')
    expect(await admin.exists(leaseKey)).toBe(0)
    expect(await admin.getBuffer(valueKey)).toEqual(before)
    await until(() => open.wakes.includes('1:k'))
  })

  it('put says full and removes what it would have replaced', async () => {
    await fill()
    expect(await put(open.store, key, entryBytes())).toBe('full')
    expect(await admin.exists(valueKey)).toBe(0)
  })

  it('leases are renewed, markers left, keys removed and marked', async () => {
    const token = newToken()
    await acquire(open.store, key, token, { seen: 'any' })
    await fill()
    expect(await open.store.renew({ ...key, token, leaseMs: 9_000, timeoutMs: 2_000 })).toBe(true)
    const marker = { kind: 'cooldown', markerMs: 5_000, errorCode: 'E_SOURCE' } as const
    expect(await open.store.release({ ...key, token, marker, timeoutMs: 2_000 })).toBe(true)
    expect(await admin.get(leaseKey)).toBe('CE_SOURCE')
    expect(await open.store.expire({ ...key, timeoutMs: 2_000 })).toBe(true)
    await open.store.remove({ ...key, timeoutMs: 2_000 })
    expect(await admin.exists(valueKey, leaseKey)).toBe(0)
  })
})

describe('a server that has forgotten its scripts', () => {
  it('is sent the text once, and then knows it', async () => {
    await admin.script('FLUSH')
    await open.store.remove({ ...key, timeoutMs: 2_000 })
    expect(await admin.script('EXISTS', scripts.remove.sha1)).toEqual([1])
    await admin.config('RESETSTAT')
    await open.store.remove({ ...key, timeoutMs: 2_000 })
    expect(await admin.info('commandstats')).not.toContain('cmdstat_eval:')
  })

  it('answers every command, forgetting between any two of them', async () => {
    const token = newToken()
    let forgetting = true
    const forget = (async () => {
      while (forgetting) await admin.script('FLUSH')
    })()
    for (let round = 0; round < 20; round++) {
      expect(await acquire(open.store, key, token, { seen: 'any' })).toEqual({ kind: 'granted' })
      const notAfter = open.store.notAfter(key, 2_000)
      expect(await open.store.commit({ ...key, ...args, token, notAfter, bytes: entryBytes(token) })).toBe('stored')
    }
    forgetting = false
    await forget
  })
})
