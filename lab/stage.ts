import { AskedChild } from '../demo/asked-child.ts'
import { sharedNow } from '../demo/shared-clock.ts'
import { type RedisServer, startRedis } from '../scripts/start-redis.ts'
import type { ContenderId } from './contenders/index.ts'
import type { Counts, FromGenerator, FromService, ServiceAccount, ToGenerator, ToService, TrafficRecord } from './messages.ts'
import { RedisFigures, type RedisAccount } from './redis-figures.ts'
import type { Scenario } from './scenarios.ts'
import type { Settings } from './settings.ts'
import type { Traffic } from './traffic.ts'

export interface Database {
  readonly url: string
  readonly schema: string
}

/** The generators, which outlive the runs. */
export type Generators = readonly AskedChild<ToGenerator, FromGenerator>[]

const serviceFile = new URL('service.ts', import.meta.url)
/** Long enough for the word to start to reach every process before it falls due. */
const startDelayMs = 150

interface Worker {
  readonly child: AskedChild<ToService, FromService>
  readonly port: number
}

/** What one run needs: a Redis of its own and fresh service processes, so that no contender inherits anything from another. */
export class Stage {
  readonly #settings: Settings
  readonly #scenario: Scenario
  readonly #contender: ContenderId
  readonly #database: Database
  readonly #generators: Generators
  readonly #accounts: ServiceAccount[] = []
  readonly #redisFigures = new RedisFigures()
  #redis: RedisServer | undefined
  #workers: Worker[] = []

  constructor(settings: Settings, scenario: Scenario, contender: ContenderId, database: Database, generators: Generators) {
    this.#settings = settings
    this.#scenario = scenario
    this.#contender = contender
    this.#database = database
    this.#generators = generators
  }

  async open(): Promise<void> {
    this.#redis = await startRedis()
    const starting = Array.from({ length: this.#settings.workers }, (_, index) => this.#startWorker(index))
    await Promise.all(starting)
  }

  /** Sends traffic; resolves when all of it was answered or given up. */
  async play(traffic: Traffic, seed: number, startAt: number, onCounts?: (counts: Counts) => void): Promise<TrafficRecord[]> {
    const { timeoutMs, connections } = this.#settings
    const latest: Counts[] = []
    const playing = this.#generators.map(async (generator, index) => {
      const of = this.#generators.length
      const play = { kind: 'play', traffic, seed, index, of, startAt, ports: this.#ports, timeoutMs, connections } as const
      const reply = await generator.ask(play, message => {
        if (message.kind !== 'tick') return
        latest[index] = message.counts
        if (index === 0) onCounts?.(latest.reduce(addCounts, { sent: 0, answered: 0, failed: 0 }))
      })
      if (reply.kind !== 'played') throw new Error(`expected a record, not ${reply.kind}`)
      return reply.record
    })
    return await Promise.all(playing)
  }

  /** A moment soon, by which everybody will know. */
  soon(): number {
    return sharedNow() + startDelayMs
  }

  async emptyCaches(): Promise<void> {
    await this.#redisFigures.empty(this.#redisNow)
    await Promise.all(this.#workers.map(({ child }) => child.ask({ kind: 'reopen' })))
  }

  async beginCounting(): Promise<void> {
    await Promise.all(this.#workers.map(({ child }) => child.ask({ kind: 'begin' })))
    await this.#redisFigures.begin(this.#redisNow)
  }

  async finishCounting(): Promise<{ services: readonly ServiceAccount[]; redis: RedisAccount }> {
    const redis = await this.#redisFigures.finish(this.#redisNow)
    const last = await Promise.all(this.#workers.map(({ child }) => accountOf(child.ask({ kind: 'finish' }))))
    return { services: [...this.#accounts, ...last], redis }
  }

  /** Their requests go to the others first, then they end, then as many new ones take their share. */
  async restartHalfOfTheWorkers(): Promise<void> {
    const leaving = this.#workers.slice(0, Math.ceil(this.#workers.length / 2))
    if (leaving.length === this.#workers.length) throw new Error('a deploy needs two workers or more')
    this.#workers = this.#workers.slice(leaving.length)
    this.#retarget()
    await Promise.all(
      leaving.map(async ({ child }, index) => {
        this.#accounts.push(await accountOf(child.ask({ kind: 'drain' })))
        await child.stop()
        await this.#startWorker(index)
        this.#retarget()
      }),
    )
  }

  stopRedis(): void {
    process.kill(this.#redisNow.pid, 'SIGSTOP')
  }

  letRedisGoOn(): void {
    process.kill(this.#redisNow.pid, 'SIGCONT')
  }

  async restartRedisEmpty(): Promise<void> {
    await this.#redisFigures.interrupt(this.#redisNow)
    const { port } = this.#redisNow
    await this.#redisNow.stop()
    this.#redis = await startRedis({ port })
    await this.#redisFigures.resume(this.#redisNow)
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map(({ child }) => child.stop()))
    await this.#redis?.stop()
  }

  get #redisNow(): RedisServer {
    if (this.#redis === undefined) throw new Error('no Redis yet')
    return this.#redis
  }

  get #ports(): number[] {
    return this.#workers.map(({ port }) => port)
  }

  #retarget(): void {
    for (const generator of this.#generators) generator.tell({ kind: 'target', ports: this.#ports })
  }

  async #startWorker(index: number): Promise<void> {
    const { url: databaseUrl, schema } = this.#database
    const { ttlMs, latencyMs } = this.#scenario
    const { slowShare, slowFactor, seed } = this.#settings
    const child = new AskedChild<ToService, FromService>(serviceFile, ['--expose-gc'])
    try {
      const reply = await child.ask({
        kind: 'open',
        contender: this.#contender,
        databaseUrl,
        schema,
        redisUrl: this.#redisNow.url,
        namespace: 'lab',
        ttlMs,
        pace: { latencyMs, slowShare, slowFactor },
        seed: seed + index,
      })
      if (reply.kind !== 'listening') throw new Error(`expected a port, not ${reply.kind}`)
      this.#workers.push({ child, port: reply.port })
    } catch (error) {
      await child.stop()
      throw error
    }
  }
}

async function accountOf(asked: Promise<FromService>): Promise<ServiceAccount> {
  const reply = await asked
  if (reply.kind !== 'finished') throw new Error(`expected an account, not ${reply.kind}`)
  return reply.account
}

function addCounts(a: Counts, b: Counts): Counts {
  return { sent: a.sent + b.sent, answered: a.answered + b.answered, failed: a.failed + b.failed }
}
