import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runScript } from '../../src/redis/script-runner.ts'
import type { ScriptArgument } from '../../src/redis/script.ts'
import * as scripts from '../../src/redis/scripts.gen.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { entryBytes, newToken } from './fixture.ts'

const farAway = 8e15
const channel = `${ownNamespace()}:bus`
const changes = `${ownNamespace()}:changes`

let redis: Redis
let value: string
let lease: string

beforeAll(() => {
  redis = new Redis(sharedRedisUrl())
})
afterAll(() => redis.disconnect())
beforeEach(() => {
  const base = `${ownNamespace()}:{p0000}:`
  value = `${base}v:key`
  lease = `${base}l:key`
})

type Acquire = Partial<{ leaseMs: number; notAfter: ScriptArgument; seen: ScriptArgument; dead: ScriptArgument; wait: string }>

function acquire(token: Buffer, more: Acquire = {}): Promise<unknown> {
  const { leaseMs = 5_000, notAfter = farAway, seen = '', dead = '', wait = '0' } = more
  return runScript(redis, scripts.acquire, [value, lease], [token, leaseMs, notAfter, seen, dead, wait])
}
function commit(token: Buffer, bytes: Buffer, notAfter = farAway): Promise<unknown> {
  return runScript(redis, scripts.commit, [value, lease], [token, bytes, 60_000, notAfter, channel, 'm', changes])
}
function release(token: Buffer, marker = '', markerMs = 5_000): Promise<unknown> {
  return runScript(redis, scripts.release, [lease], [token, marker, markerMs, channel, 'm'])
}
const text = (...words: string[]): Buffer[] => words.map(word => Buffer.from(word))
const held = (state: string, token: Buffer): Buffer => Buffer.concat([Buffer.from(state), token])

describe('acquire', () => {
  it('grants a free lease for the asked time', async () => {
    const token = newToken()
    expect(await acquire(token, { leaseMs: 4_000 })).toEqual(text('granted'))
    expect(await redis.getBuffer(lease)).toEqual(held('H', token))
    expect(await redis.pttl(lease)).toBeGreaterThan(3_000)
  })

  it('says late and changes nothing after notAfter', async () => {
    expect(await acquire(newToken(), { notAfter: Date.now() - 1_000 })).toEqual(text('late'))
    expect(await redis.exists(lease)).toBe(0)
  })

  it('answers with a fresh value, byte for byte, and takes no lease', async () => {
    const payload = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const bytes = entryBytes(newToken(), 60_000, payload)
    await redis.set(value, bytes)
    expect(await acquire(newToken())).toEqual([Buffer.from('value'), bytes])
    expect(await redis.exists(lease)).toBe(0)
  })

  it.each([
    ['a value the caller has seen', (token: Buffer) => ({ seen: Buffer.concat([newToken(), token]) }), 60_000],
    ['any value when only the lease is wanted', () => ({ seen: '*' }), 60_000],
    ['a stale value', () => ({}), -1],
  ] as const)('grants despite %s', async (_, more, freshMs) => {
    const token = newToken()
    await redis.set(value, entryBytes(token, freshMs))
    expect(await acquire(newToken(), more(token))).toEqual(text('granted'))
  })

  it('compares seen tokens whole, not across their borders', async () => {
    const token = newToken()
    await redis.set(value, entryBytes(token))
    const shifted = Buffer.concat([Buffer.alloc(8), token, Buffer.alloc(8)])
    expect(await acquire(newToken(), { seen: shifted })).toEqual([Buffer.from('value'), expect.any(Buffer)])
  })

  it.each([
    ['the expired mark', (bytes: Buffer) => bytes.fill(0xff, 3, 4)],
    ['another mark', (bytes: Buffer) => bytes.fill(0x01, 3, 4)],
    ['another magic', (bytes: Buffer) => bytes.fill(0x00, 0, 2)],
    ['a later wire version', (bytes: Buffer) => bytes.fill(0x02, 2, 3)],
    ['75 bytes', (bytes: Buffer) => bytes.subarray(0, 75)],
    ['no bytes', () => Buffer.alloc(0)],
  ] as const)('takes bytes with %s for no answer', async (_, damage) => {
    await redis.set(value, damage(entryBytes()))
    expect(await acquire(newToken())).toEqual(text('granted'))
  })

  it('takes a value and a lease of another Redis type for nothing, and replaces the lease', async () => {
    await redis.rpush(value, 'x')
    await redis.rpush(lease, 'x')
    const token = newToken()
    expect(await acquire(token)).toEqual(text('granted'))
    expect(await redis.getBuffer(lease)).toEqual(held('H', token))
  })

  it.each(['', 'H', 'Hshort', 'X'.padEnd(17, 'x'), `H${'x'.repeat(17)}`])('takes the lease bytes %j for nothing', async bytes => {
    await redis.set(lease, bytes, 'PX', 5_000)
    expect(await acquire(newToken())).toEqual(text('granted'))
  })

  it('takes a lease that never ends for nothing', async () => {
    await redis.set(lease, held('H', newToken()))
    expect(await acquire(newToken())).toEqual(text('granted'))
    expect(await redis.pttl(lease)).toBeGreaterThan(0)
  })

  it('says who holds a taken lease, for how long, and what value stands there', async () => {
    const [holder, token] = [newToken(), newToken()]
    await acquire(holder)
    expect(await acquire(token)).toEqual([Buffer.from('busy'), expect.any(Number), holder, Buffer.alloc(0)])
    const stored = newToken()
    await redis.set(value, entryBytes(stored, -1))
    const reply = (await acquire(token)) as [Buffer, number, Buffer, Buffer]
    expect(reply[1]).toBeGreaterThan(4_000)
    expect(reply[3]).toEqual(stored)
    expect(await redis.getBuffer(lease)).toEqual(held('H', holder))
  })

  it('sets the waiter bit for a caller that waits, and keeps the lifetime', async () => {
    const holder = newToken()
    await acquire(holder)
    await acquire(newToken(), { wait: '1' })
    expect(await redis.getBuffer(lease)).toEqual(held('W', holder))
    expect(await redis.pttl(lease)).toBeGreaterThan(4_000)
    expect(await acquire(newToken(), { wait: '1' })).toEqual([Buffer.from('busy'), expect.any(Number), holder, Buffer.alloc(0)])
  })

  it.each(['H', 'W', 'N'])('replaces a dead holder in state %s and keeps the state', async state => {
    const [dead, token] = [newToken(), newToken()]
    await redis.set(lease, held(state, dead), 'PX', 5_000)
    expect(await acquire(token, { dead: Buffer.concat([newToken(), dead]) })).toEqual(text('granted'))
    expect(await redis.getBuffer(lease)).toEqual(held(state, token))
  })

  it('grants the same token twice', async () => {
    const token = newToken()
    await acquire(token)
    expect(await acquire(token)).toEqual(text('granted'))
  })

  it('says unqueued while a key that must not be queued for is loading', async () => {
    await redis.set(lease, 'Q', 'PX', 5_000)
    const token = newToken()
    expect(await acquire(token)).toEqual(text('granted'))
    expect(await redis.getBuffer(lease)).toEqual(held('N', token))
    expect(await acquire(newToken(), { wait: '1' })).toEqual(text('unqueued'))
    expect(await redis.getBuffer(lease)).toEqual(held('N', token))
  })

  it('says cooling with the code and the time left', async () => {
    await redis.set(lease, 'CE_SOURCE', 'PX', 5_000)
    const reply = (await acquire(newToken())) as [Buffer, Buffer, number]
    expect(reply.slice(0, 2)).toEqual(text('cooling', 'E_SOURCE'))
    expect(reply[2]).toBeGreaterThan(4_000)
  })
})

describe('renew', () => {
  const renew = (token: Buffer, leaseMs = 9_000): Promise<unknown> => runScript(redis, scripts.renew, [lease], [token, leaseMs])

  it.each(['H', 'W', 'N'])('extends a lease in state %s for its holder', async state => {
    const token = newToken()
    await redis.set(lease, held(state, token), 'PX', 1_000)
    expect(await renew(token)).toBe(1)
    expect(await redis.pttl(lease)).toBeGreaterThan(8_000)
  })

  it('does nothing for anyone else', async () => {
    const holder = newToken()
    expect(await renew(holder)).toBe(0)
    await acquire(holder)
    expect(await renew(newToken())).toBe(0)
    expect(await redis.pttl(lease)).toBeLessThan(6_000)
  })
})

describe('commit', () => {
  it('stores the bytes with their lifetime and ends the lease', async () => {
    const token = newToken()
    const bytes = entryBytes(token, 60_000, Buffer.from(Array.from({ length: 512 }, (_, byte) => byte & 0xff)))
    await acquire(token)
    expect(await commit(token, bytes)).toEqual(text('stored'))
    expect(await redis.getBuffer(value)).toEqual(bytes)
    expect(await redis.pttl(value)).toBeGreaterThan(50_000)
    expect(await redis.exists(lease)).toBe(0)
  })

  it('says late and changes nothing after notAfter', async () => {
    const token = newToken()
    await acquire(token)
    expect(await commit(token, entryBytes(token), Date.now() - 1_000)).toEqual(text('late'))
    expect(await redis.exists(value)).toBe(0)
    expect(await redis.exists(lease)).toBe(1)
  })

  it('says lost and changes nothing for a token that does not hold', async () => {
    const holder = newToken()
    await acquire(holder)
    const token = newToken()
    expect(await commit(token, entryBytes(token))).toEqual(text('lost'))
    expect(await redis.exists(value)).toBe(0)
    expect(await redis.getBuffer(lease)).toEqual(held('H', holder))
  })

  it('says stored again when a commit that landed is repeated, also under the next lease', async () => {
    const token = newToken()
    await acquire(token)
    await commit(token, entryBytes(token))
    expect(await commit(token, entryBytes(token))).toEqual(text('stored'))
    const next = newToken()
    await acquire(next, { seen: '*' })
    expect(await commit(token, entryBytes(token))).toEqual(text('stored'))
    expect(await redis.getBuffer(lease)).toEqual(held('H', next))
  })
})

describe('release', () => {
  it('ends the lease, or leaves the marker for its time', async () => {
    const token = newToken()
    await acquire(token)
    expect(await release(token)).toBe(1)
    expect(await redis.exists(lease)).toBe(0)
    await acquire(token)
    expect(await release(token, 'CE_SOURCE', 4_000)).toBe(1)
    expect(await redis.get(lease)).toBe('CE_SOURCE')
    expect(await redis.pttl(lease)).toBeLessThan(4_001)
  })

  it('does nothing for a token that does not hold, nor to a marker', async () => {
    const holder = newToken()
    await acquire(holder)
    expect(await release(newToken(), 'Q')).toBe(0)
    expect(await redis.getBuffer(lease)).toEqual(held('H', holder))
    await redis.set(lease, 'Q', 'PX', 5_000)
    expect(await release(newToken())).toBe(0)
    expect(await redis.get(lease)).toBe('Q')
  })
})

describe('put, remove and expire', () => {
  const family = (): [string, string, ...string[]] => [value, lease, `${value}-`, `${lease}-`, `${value}+`, `${lease}+`]
  const put = (bytes: Buffer, notAfter = farAway): Promise<unknown> =>
    runScript(redis, scripts.put, family(), [bytes, 60_000, notAfter, channel, changes, 'm0', 'm-', 'm+'])
  const remove = (): Promise<unknown> => runScript(redis, scripts.remove, family(), [channel, changes, 'm0', 'm-', 'm+'])
  const expire = (): Promise<unknown> => runScript(redis, scripts.expire, family(), [channel, changes, 'm0', 'm-', 'm+'])

  async function fill(): Promise<void> {
    for (const [index, key] of family().entries()) {
      await redis.set(key, index % 2 === 0 ? entryBytes() : held('H', newToken()), 'PX', 30_000)
    }
  }

  it('put stores, revokes every lease and removes neighbouring values', async () => {
    await fill()
    const bytes = entryBytes()
    expect(await put(bytes)).toEqual(text('stored'))
    expect(await redis.getBuffer(value)).toEqual(bytes)
    expect(await redis.exists(...family())).toBe(1)
  })

  it('put says late and changes nothing after notAfter', async () => {
    await fill()
    expect(await put(entryBytes(), Date.now() - 1_000)).toEqual(text('late'))
    expect(await redis.exists(...family())).toBe(6)
  })

  it('remove leaves nothing, whatever stood there, and says whether the value did', async () => {
    await fill()
    expect(await remove()).toBe(1)
    expect(await redis.exists(...family())).toBe(0)
    await redis.rpush(lease, 'x')
    await redis.set(lease.replace('l:', 'x:'), 'untouched', 'PX', 5_000)
    expect(await remove()).toBe(0)
    expect(await redis.exists(...family())).toBe(0)
  })

  it('expire flips the mark in place, keeps lifetimes and revokes leases', async () => {
    await fill()
    const before = (await redis.getBuffer(value)) as Buffer
    expect(await expire()).toBe(1)
    for (const key of [value, `${value}-`, `${value}+`]) expect((await redis.getBuffer(key))?.[3]).toBe(0xff)
    const after = (await redis.getBuffer(value)) as Buffer
    expect(after.subarray(4)).toEqual(before.subarray(4))
    expect(await redis.pttl(value)).toBeGreaterThan(20_000)
    expect(await redis.exists(lease, `${lease}-`, `${lease}+`)).toBe(0)
  })

  it.each([
    ['nothing', undefined],
    ['short bytes', Buffer.from('LH\x01')],
    ['foreign bytes', Buffer.alloc(200, 'x')],
  ])('expire finds no entry in %s and changes nothing', async (_, bytes) => {
    if (bytes !== undefined) await redis.set(value, bytes)
    expect(await expire()).toBe(0)
    expect(await redis.getBuffer(value)).toEqual(bytes ?? null)
  })

  it.each([
    ['put', () => put(entryBytes())],
    ['remove', remove],
    ['expire', expire],
  ] as const)('%s wakes the waiters of each version by its own message', async (_, command) => {
    const subscriber = new Redis(sharedRedisUrl())
    const heard: string[] = []
    subscriber.on('message', (_channel, message: string) => heard.push(message))
    await subscriber.subscribe(channel)
    await redis.set(lease, held('W', newToken()), 'PX', 5_000)
    await redis.set(`${lease}-`, held('H', newToken()), 'PX', 5_000)
    await redis.set(`${lease}+`, held('W', newToken()), 'PX', 5_000)
    await command()
    await redis.publish(channel, 'end')
    await expect.poll(() => heard).toEqual(['m0', 'm+', 'end'])
    subscriber.disconnect()
  })
})

describe('wake-ups', () => {
  it.each([
    ['commit', (token: Buffer) => commit(token, entryBytes(token))],
    ['release', (token: Buffer) => release(token, 'Q')],
  ] as const)('%s publishes only when someone waits', async (_, end) => {
    const subscriber = new Redis(sharedRedisUrl())
    const heard: string[] = []
    subscriber.on('message', (_channel, message: string) => heard.push(message))
    await subscriber.subscribe(channel)
    for (const state of ['H', 'N', 'W']) {
      const token = newToken()
      await redis.set(lease, held(state, token), 'PX', 5_000)
      await end(token)
      await redis.publish(channel, state)
    }
    await expect.poll(() => heard).toEqual(['H', 'N', 'm', 'W'])
    subscriber.disconnect()
  })
})
