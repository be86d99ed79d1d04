import type { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { NodeUpkeep } from '../../../src/redis/node-upkeep.ts'
import { ServerIdentity } from '../../../src/redis/server-identity.ts'
import { ServerTime } from '../../../src/redis/server-time.ts'
import { virtualClock, type VirtualClock } from '../../../src/testing/virtual-clock.ts'

type Answer = (clock: VirtualClock, nth: number) => unknown

const serverMs = 1_700_000_000_000
const time = (ms = serverMs): string[] => [String(Math.floor(ms / 1000)), String((ms % 1000) * 1000)]
const hello = (server: string, version: string, mode = 'standalone'): unknown[] => [
  'server',
  server,
  'version',
  version,
  'proto',
  3,
  'mode',
  mode,
]

function refusal(message: string): Error {
  const error = new Error(message)
  error.name = 'ReplyError'
  return error
}

interface Served {
  readonly asked: string[]
  readonly clock: VirtualClock
  readonly redis: Redis
  readonly serverTime: ServerTime
  readonly upkeep: NodeUpkeep
}

/** A server that answers as told, and otherwise as a primary of Redis 7.2 does. Errors among the answers are refusals. */
function serverThat(answers: Readonly<Record<string, Answer>> = {}, clustered = false): Served {
  const clock = virtualClock()
  const serverTime = new ServerTime()
  const asked: string[] = []
  const usual: Readonly<Record<string, Answer>> = {
    HELLO: () => hello('redis', '7.2.4'),
    PING: () => 'PONG',
    ROLE: () => ['master', 0, []],
    TIME: () => time(),
  }
  const redis = {
    async call(command: string): Promise<unknown> {
      asked.push(command)
      const answer = await (answers[command] ?? usual[command])?.(clock, asked.filter(each => each === command).length)
      if (answer instanceof Error) throw answer
      return answer
    },
  } as unknown as Redis
  return { asked, clock, redis, serverTime, upkeep: new NodeUpkeep(clock, serverTime, new ServerIdentity(() => {}), clustered) }
}

describe('a server that is connected to', () => {
  it.each([
    ['redis', '7.0.0'],
    ['redis', '8.2.1'],
    ['valkey', '7.2.5'],
    ['valkey', '8.0.0'],
  ])('may be used when it is %s %s, from when its time is known', async (server, version) => {
    const { clock, redis, serverTime, upkeep } = serverThat({ HELLO: () => hello(server, version) })
    expect(await upkeep.setUp(redis)).toBeUndefined()
    expect(serverTime.now(clock.now())).toBe(serverMs)
  })

  it.each([
    ['is redis 6.2.14', (): unknown => hello('redis', '6.2.14')],
    ['is a server older than Redis 6', (): unknown => refusal("ERR unknown command 'HELLO', with args beginning with: ")],
    ['is  ', (): unknown => 'something else'],
  ])('is refused by name when it %s', async (named, answer) => {
    const { redis, upkeep } = serverThat({ HELLO: answer })
    const verdict = await upkeep.setUp(redis)
    expect(verdict).toMatchObject({ next: 'stay', fault: { code: 'STORE_UNSUPPORTED', outcome: 'not-executed' } })
    expect(verdict?.fault.message).toBe(`Leasehold needs Redis 7.0 or later, or Valkey; this ${named}`)
  })

  it('is refused when it is part of a Cluster and was not given as one', async () => {
    const inCluster = { HELLO: () => hello('redis', '7.2.4', 'cluster') }
    const { redis, upkeep } = serverThat(inCluster)
    const verdict = await upkeep.setUp(redis)
    expect(verdict).toMatchObject({ next: 'stay', fault: { code: 'STORE_UNSUPPORTED', outcome: 'not-executed' } })
    expect(verdict?.fault.message).toBe('The server is part of a Redis Cluster; give redisStore an ioredis Cluster client')
    const node = serverThat(inCluster, true)
    expect(await node.upkeep.setUp(node.redis)).toBeUndefined()
  })

  const unfit: readonly (readonly [what: string, answers: Readonly<Record<string, Answer>>, code: string])[] = [
    [
      'does not let us in',
      { HELLO: () => refusal('NOAUTH HELLO must be called with the client already authenticated') },
      'REFUSED',
    ],
    ['is loading its data', { PING: () => refusal('LOADING Redis is loading the dataset in memory') }, 'UNAVAILABLE'],
    ['does not tell its role', { ROLE: () => refusal("NOPERM User u has no permissions to run the 'role' command") }, 'REFUSED'],
    ['has no time', { TIME: () => 'noon' }, 'UNSUPPORTED'],
    ['has a time that is no number', { TIME: () => ['noon', '0'] }, 'UNSUPPORTED'],
  ]

  it.each(unfit)('is asked again later when it %s', async (_what, answers, code) => {
    const { redis, upkeep } = serverThat(answers)
    expect(await upkeep.setUp(redis)).toMatchObject({ next: 'stay', fault: { code: `STORE_${code}`, outcome: 'not-executed' } })
  })

  it.each(['setUp', 'check'] as const)('is left for another when it is no primary (%s)', async question => {
    const { redis, upkeep } = serverThat({ ROLE: () => ['slave', '127.0.0.1', 6379, 'connected', 0] })
    expect(await upkeep[question](redis)).toMatchObject({ next: 'reconnect', fault: { code: 'STORE_UNAVAILABLE' } })
  })
})

describe('the time of a server', () => {
  /** Its first answers are on their way for so long. */
  const slowly =
    (...waits: readonly number[]): Answer =>
    async (clock, nth) => {
      const waitMs = waits[nth - 1] ?? 0
      await new Promise<void>(resolve => void clock.setTimeout(resolve, waitMs))
      return time(serverMs + clock.now())
    }

  it.each([
    ['at once when the answer is prompt', [10], 1],
    ['anew while answers are slow', [11, 40, 0], 3],
    ['three times at most', [50, 50, 50, 50], 3],
  ] as const)('is taken %s', async (_how, waits, samples) => {
    const { asked, clock, redis, upkeep } = serverThat({ TIME: slowly(...waits) })
    expect(await clock.runUntilSettled(upkeep.setUp(redis))).toBeUndefined()
    expect(asked.filter(command => command === 'TIME').length).toBe(samples)
  })

  it('is what another server says once there is another', async () => {
    let now = serverMs
    const { clock, redis, serverTime, upkeep } = serverThat({ TIME: () => time(now) })
    await upkeep.setUp(redis)
    now -= 3_600_000
    await upkeep.setUp(redis)
    expect(serverTime.now(clock.now())).toBe(now)
  })
})
