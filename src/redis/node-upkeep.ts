import type { Redis } from 'ioredis'
import { StoreError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import type { Upkeep, Verdict } from './connection.ts'
import { connectionFailure, replyCode } from './failures.ts'
import { runIdOf, type ServerIdentity } from './server-identity.ts'
import { type ServerTime, parseTime } from './server-time.ts'

const oldestRedis = 7
const samplesPerCheck = 3
/** A first sample whose reply took longer is taken anew: until then deadlines would be off by as much. */
const promptMs = 10

/** A command connection: to a supported server, to a primary, whose clock is known. */
export class NodeUpkeep implements Upkeep {
  readonly #clock: Clock
  readonly #time: ServerTime
  readonly #identity: ServerIdentity
  readonly #clustered: boolean

  /** @param clustered Whether it is to be a server of a Cluster. */
  constructor(clock: Clock, time: ServerTime, identity: ServerIdentity, clustered: boolean) {
    this.#clock = clock
    this.#time = time
    this.#identity = identity
    this.#clustered = clustered
  }

  async setUp(redis: Redis): Promise<Verdict | undefined> {
    const [hello, ping, runId, primary] = await Promise.allSettled([
      redis.call('HELLO'),
      redis.call('PING'),
      runIdOf(redis),
      this.#sample(redis, true),
    ])
    const support = supportVerdict(hello, this.#clustered)
    if (support !== undefined) return support
    // The other questions are answered while the server is still loading its data.
    if (ping.status === 'rejected') return { fault: connectionFailure(ping.reason), next: 'stay' }
    if (primary.status === 'rejected') return { fault: connectionFailure(primary.reason), next: 'stay' }
    if (primary.value === undefined) this.#identity.meet(runId.status === 'fulfilled' ? runId.value : undefined)
    return primary.value
  }

  async check(redis: Redis): Promise<Verdict | undefined> {
    return this.#sample(redis, false)
  }

  async #sample(redis: Redis, first: boolean): Promise<Verdict | undefined> {
    if (first) this.#time.reset()
    for (let left = samplesPerCheck; left > 0; left--) {
      const sentAt = this.#clock.now()
      const [role, receivedAt, time] = await Promise.all([
        redis.call('ROLE'),
        ...stamped(redis.call('TIME'), this.#clock),
      ] as const)
      if (!Array.isArray(role) || String(role[0]) !== 'master') {
        this.#identity.loseRole()
        return notPrimary()
      }
      const serverMs = parseTime(time)
      if (Number.isNaN(serverMs)) return unsupported('Redis does not tell its time')
      const taken = this.#time.take({ serverMs, sentAt, receivedAt })
      if (first ? receivedAt - sentAt <= promptMs : taken) break
    }
    return undefined
  }
}

/** The reply, and when it came. */
function stamped(reply: Promise<unknown>, clock: Clock): [Promise<number>, Promise<unknown>] {
  return [reply.then(() => clock.now()), reply]
}

function notPrimary(): Verdict {
  return { fault: new StoreError('STORE_UNAVAILABLE', 'not-executed', 'The Redis server is not a primary'), next: 'reconnect' }
}

function supportVerdict(hello: PromiseSettledResult<unknown>, clustered: boolean): Verdict | undefined {
  if (hello.status === 'rejected') {
    // Servers before Redis 6 do not know the command.
    if (replyCode(hello.reason) === 'ERR') return tooOld('a server older than Redis 6')
    return { fault: connectionFailure(hello.reason), next: 'stay' }
  }
  const reply = Array.isArray(hello.value) ? hello.value.map(String) : []
  const field = (name: string): string => reply[reply.indexOf(name) + 1] ?? ''
  const [server, version] = [field('server'), field('version')]
  if (server !== 'valkey' && !(Number.parseInt(version, 10) >= oldestRedis)) return tooOld(`${server} ${version}`)
  // Its scripts and batches would be refused, since their keys are in slots of their own.
  if (field('mode') === 'cluster' && !clustered)
    return unsupported('The server is part of a Redis Cluster; give redisStore an ioredis Cluster client')
  return undefined
}

function tooOld(found: string): Verdict {
  return unsupported(`Leasehold needs Redis 7.0 or later, or Valkey; this is ${found}`)
}

function unsupported(message: string): Verdict {
  return { fault: new StoreError('STORE_UNSUPPORTED', 'not-executed', message), next: 'stay' }
}
