import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Change } from '../../src/core/ports.ts'
import { decodeChange } from '../../src/redis/changes.ts'
import { Keys } from '../../src/redis/keys.ts'
import { runScript } from '../../src/redis/script-runner.ts'
import * as scripts from '../../src/redis/scripts.gen.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { entryBytes, newToken, until } from './fixture.ts'

const farAway = 8e15
const key = { key: 'käse', version: 3 }
const keys = new Keys(ownNamespace(), '', 0, 512)
const family = [...keys.family(key), keys.counter] as const

let redis: Redis
let subscriber: Redis
let heard: (Change | undefined)[]

beforeAll(async () => {
  redis = new Redis(sharedRedisUrl())
  subscriber = new Redis(sharedRedisUrl())
  heard = []
  subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => heard.push(decodeChange(message)))
})
afterAll(() => {
  redis.disconnect()
  subscriber.disconnect()
})

function put(bytes: Buffer): Promise<unknown> {
  const args = [bytes, 60_000, farAway, keys.channel, keys.changes, ...keys.familyMessages(key)] as const
  return runScript(redis, scripts.put, [...family], [...args])
}

it('changes are neither counted nor told while nobody listens', async () => {
  await put(entryBytes(newToken()))
  expect(await redis.exists(keys.counter)).toBe(0)
})

it('each change is told with its number, its key and the token of what stands there now', async () => {
  await subscriber.subscribe(keys.changes)
  const [first, second] = [newToken(), newToken()]
  await put(entryBytes(first))
  const [value, lease] = family
  await runScript(redis, scripts.acquire, [value, lease], [second, 5_000, farAway, '*', '', '0'])
  const commit = [second, entryBytes(second), 60_000, farAway, keys.channel, keys.message(key), keys.changes] as const
  await runScript(redis, scripts.commit, [value, lease, keys.counter], [...commit])
  await runScript(redis, scripts.expire, [...family], [keys.channel, keys.changes, ...keys.familyMessages(key)])
  await runScript(redis, scripts.remove, [...family], [keys.channel, keys.changes, ...keys.familyMessages(key)])
  await runScript(redis, scripts.pulse, [keys.pulse, keys.counter], [900, keys.changes])
  await until(() => heard.at(-1)?.kind === 'pulse')
  const own = heard.filter(change => change?.kind !== 'key' || change.wakeId === '3:käse')
  expect(own).toEqual([
    { kind: 'key', sequence: 1, wakeId: '3:käse', token: first },
    { kind: 'key', sequence: 4, wakeId: '3:käse', token: second },
    { kind: 'key', sequence: 5, wakeId: '3:käse', token: undefined },
    { kind: 'key', sequence: 8, wakeId: '3:käse', token: undefined },
    { kind: 'pulse', sequence: 10, sentAt: expect.any(Number) as number },
  ])
  expect(heard.map(change => change?.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10])
  expect(await redis.exists(value)).toBe(0)
})

it('a pulse is not sent while the last one is young', async () => {
  expect(await runScript(redis, scripts.pulse, [keys.pulse, keys.counter], [900, keys.changes])).toBe(0)
})

const listening = async (channel: string): Promise<void> => {
  heard = []
  await subscriber.subscribe(channel)
}

it('a counter that cannot count does not keep a change from being told: its number is out of turn', async () => {
  const own = new Keys(ownNamespace(), '', 0, 512)
  await listening(own.changes)
  await redis.set(own.counter, 'not a number')
  const messages = [own.channel, own.changes, ...own.familyMessages(key)] as const
  await runScript(redis, scripts.remove, [...own.family(key), own.counter], [...messages])
  await until(() => heard.length === 3)
  expect(heard[0]).toEqual({ kind: 'key', sequence: 0, wakeId: '3:käse', token: undefined })
})

const epoch = Buffer.alloc(8, 7)
it.each<readonly [string, (own: Keys) => Promise<unknown>]>([
  ['stores', own => runScript(redis, scripts.stamp, [own.record, own.tagTable, own.counter], [epoch, own.changes, 60])],
  [
    'invalidates a tag',
    own => runScript(redis, scripts.bumpTags, [own.record, own.tagTable, own.counter], [epoch, own.changes, 10, 4, 'red']),
  ],
])('a namespace record that is made anew for who %s is told as a clear', async (_what, act) => {
  const own = new Keys(ownNamespace(), '', 0, 512)
  await listening(own.changes)
  await act(own)
  await until(() => heard.length > 0)
  expect(heard).toEqual([{ kind: 'clear', sequence: 1 }])
})
