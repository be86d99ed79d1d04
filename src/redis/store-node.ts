import type { Redis, RedisOptions } from 'ioredis'
import type { StoreError } from '../core/errors.ts'
import type { BreakerReason, BreakerState } from '../core/events.ts'
import type { Clock } from '../core/ports.ts'
import { Breaker } from './breaker.ts'
import type { BreakerSettings } from './breaker-options.ts'
import type { CredentialSource } from './credentials.ts'
import { Connection } from './connection.ts'
import { readHeader, readHeaders } from './header-commands.ts'
import type { LoopLag } from './loop-lag.ts'
import { NodeUpkeep } from './node-upkeep.ts'
import { ReadBatch, type ReadReply } from './read-batch.ts'
import { ReplicaConfirmation } from './replica-confirmation.ts'
import { ServerIdentity } from './server-identity.ts'
import { ServerTime } from './server-time.ts'

/** Reads one key. */
export type AskOne = (redis: Redis) => Promise<Buffer | null>

export interface StoreNodeOptions {
  readonly create: (settings: RedisOptions) => Redis
  /** `leasehold:<namespace>`; each connection adds what it is for. */
  readonly name: string
  readonly clock: Clock
  /** Whether it is a server of a Cluster. */
  readonly clustered: boolean
  /** Sends the reads of one tick. */
  readonly send: (redis: Redis, keys: string[]) => Promise<readonly ReadReply[]>
  /** What becomes of a key whose own reply is an error; `ask` sends what was sent. */
  readonly recover: (key: string, error: Error, remainingMs: number, ask: AskOne) => Promise<Buffer | null>
  readonly onChange: (fault?: StoreError) => void
  readonly guard: Guard
}

/** What all servers of one provider are guarded by, and logged in with. */
export interface Guard {
  readonly credentials: CredentialSource | undefined
  readonly settings: BreakerSettings
  readonly lag: LoopLag
  readonly onBreaker: (endpoint: string, state: BreakerState, reason: BreakerReason) => void
  readonly onServerChange: () => void
}

/** One server: a connection for reads and one for scripts, so that a big read cannot hold up a lease. Who waits for replicas gets a third. */
export class StoreNode {
  readonly reads: Connection
  readonly scripts: Connection
  readonly batch: ReadBatch
  /** Reads of headers alone. */
  readonly headers: ReadBatch
  /** On a connection of its own, which is made when it is first asked. */
  readonly replicas: ReplicaConfirmation
  readonly breaker: Breaker
  readonly #clock: Clock
  readonly #readTime: ServerTime = new ServerTime()
  readonly #scriptTime: ServerTime = new ServerTime()

  constructor(options: StoreNodeOptions) {
    const { create, name, clock, clustered, onChange, guard } = options
    this.#clock = clock
    this.breaker = new Breaker(guard.settings, clock, guard.lag, (state, reason) =>
      guard.onBreaker(endpointOf(this.reads.redis), state, reason),
    )
    const identity = new ServerIdentity(guard.onServerChange)
    // What one connection has found out of the server, the other is to see at once.
    const tell = (other: () => Connection) => (fault?: StoreError) => {
      if (fault !== undefined) other().doubt()
      else this.breaker.reconsider()
      onChange(fault)
    }
    this.reads = new Connection({
      create,
      name: `${name}:reads`,
      clock,
      credentials: guard.credentials,
      upkeep: new NodeUpkeep(clock, this.#readTime, identity, clustered),
      onChange: tell(() => this.scripts),
    })
    this.scripts = new Connection({
      create,
      name: `${name}:scripts`,
      clock,
      credentials: guard.credentials,
      upkeep: new NodeUpkeep(clock, this.#scriptTime, identity, clustered),
      onChange: tell(() => this.reads),
    })
    this.replicas = new ReplicaConfirmation(clock, () => {
      const upkeep = new NodeUpkeep(clock, new ServerTime(), identity, clustered)
      const connection = new Connection({
        create,
        name: `${name}:replicas`,
        clock,
        credentials: guard.credentials,
        upkeep,
        onChange: () => {},
      })
      connection.open()
      return connection
    })
    const { redis } = this.reads
    this.batch = new ReadBatch({
      clock,
      breaker: this.breaker,
      send: keys => options.send(redis, keys),
      recover: (key, error, remainingMs) => options.recover(key, error, remainingMs, other => other.getBuffer(key)),
    })
    this.headers = new ReadBatch({
      clock,
      breaker: this.breaker,
      send: keys => readHeaders(redis, keys),
      recover: (key, error, remainingMs) => options.recover(key, error, remainingMs, other => readHeader(other, key)),
    })
  }

  open(): void {
    this.reads.open()
    this.scripts.open()
  }

  get usable(): boolean {
    return this.reads.usable && this.scripts.usable
  }

  /** Server ms, never behind; NaN before the first sample. Freshness is judged by it, so it follows the connection of the reads. */
  now(): number {
    const time = this.#readTime.known ? this.#readTime : this.#scriptTime
    return Math.ceil(time.now(this.#clock.now()))
  }

  /** Server ms, never ahead; NaN before the first sample. */
  earliest(): number {
    const time = this.#scriptTime.known ? this.#scriptTime : this.#readTime
    return Math.floor(time.earliest(this.#clock.now()))
  }

  /** When the newest reply to a read came; monotonic ms. */
  get repliedAt(): number {
    return Math.max(this.batch.repliedAt, this.headers.repliedAt)
  }

  async close(): Promise<void> {
    await Promise.all([this.reads.close(), this.scripts.close(), this.replicas.close()])
  }
}

/** Names a server without its secrets. */
function endpointOf({ options }: Redis): string {
  if (options.sentinels !== undefined && options.sentinels !== null) return options.name ?? 'sentinel'
  return options.path ?? `${options.host ?? '127.0.0.1'}:${options.port ?? 6379}`
}
