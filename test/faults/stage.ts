import { setTimeout as passed } from 'node:timers/promises'
import { sharedNowMs } from '../fleet/messages.ts'
import { checkHistory } from '../histories/checker.ts'
import { History } from '../histories/history.ts'
import type { OpenRequest } from '../histories/messages.ts'
import { RecordingFleet, type RecordingProcess } from '../histories/recording-fleet.ts'
import type { TrafficPlan } from '../histories/traffic.ts'
import { FaultProxy } from './fault-proxy.ts'
import { describeLoads, mostLoads, recoveryMs, slowestMs, type LoadBound, type Measured, type Size } from './measured.ts'
import { OwnRedis } from './own-redis.ts'

export interface StageOptions {
  readonly options?: OpenRequest['options']
  /** The first process reaches Redis through a proxy. */
  readonly proxied?: boolean
  readonly paddingBytes?: number
  readonly tellLoads?: boolean
  /** For each process, what is different about it. */
  readonly differing?: (place: number) => Partial<OpenRequest>
  /** Servers that the row has started, in place of one of its own. */
  readonly redisUrls?: readonly string[]
}

/**
 * A slow machine must not be taken for a slow Redis, nor a slow process for a dead one, where neither is what the row is about. Short forms run
 * beside other tests.
 */
const patience: Readonly<Record<Size, OpenRequest['options']>> = {
  short: { commandTimeout: '1s', storeBudget: '2s', lease: '5s' },
  full: { commandTimeout: '500ms', storeBudget: '1s' },
}

/** Keys from here on are each used for one stampede. */
const firstFreshKey = 1000

/** Three processes on a Redis of their own, with callers at work on a few keys while something goes wrong. */
export class Stage implements AsyncDisposable {
  static readonly processes: number = 3
  /** How many keys one stampede is about. */
  static readonly stampedeKeys: number = 5
  readonly redis: OwnRedis
  readonly proxy: FaultProxy
  readonly fleet: RecordingFleet
  readonly history: History = new History()
  readonly #failures: string[] = []
  readonly #stampedes: { when: string; keys: readonly number[]; allowed: number }[] = []
  #nextKey = firstFreshKey
  #mendedAt: number | undefined
  #checked = 0

  private constructor(redis: OwnRedis, proxy: FaultProxy, fleet: RecordingFleet) {
    this.redis = redis
    this.proxy = proxy
    this.fleet = fleet
  }

  static async open(size: Size, settings: StageOptions = {}): Promise<Stage> {
    const { options, proxied = false, paddingBytes, tellLoads, differing, redisUrls } = settings
    const redis = await OwnRedis.start()
    const proxy = await FaultProxy.start(redis.port)
    const fleet = await RecordingFleet.start({
      processes: Stage.processes,
      redisUrls: redisUrls ?? [redis.url],
      options: { ...patience[size], ...options },
      differing: place => ({ ...(proxied && place === 0 ? { redisUrls: [proxy.url] } : {}), ...differing?.(place) }),
      ...(paddingBytes === undefined ? {} : { paddingBytes }),
      ...(tellLoads === undefined ? {} : { tellLoads }),
    })
    return new Stage(redis, proxy, fleet)
  }

  get members(): readonly RecordingProcess[] {
    return this.fleet.members
  }

  /** Callers on a few keys, so that the checker has something to check. */
  async startTraffic(plan: Partial<TrafficPlan> = {}): Promise<void> {
    await this.fleet.startTraffic({ seed: 1, keys: 6, callers: 6, pauseMs: 8, ...plan })
    await passed(300)
  }

  /** All processes miss a few keys at once. No key may be loaded more often than `allowed`. */
  async stampede(when: string, allowed: number, beside?: (keys: readonly number[]) => Promise<void>): Promise<void> {
    const keys = this.freshKeys(Stage.stampedeKeys)
    const calls = this.members.map(member => member.ask('getOrSet', { keys, times: 10, plan: { takesMs: 50 } }))
    await Promise.all([...calls, beside?.(keys)])
    this.#stampedes.push({ when, keys, allowed })
  }

  freshKeys(count: number): number[] {
    return Array.from({ length: count }, () => this.#nextKey++)
  }

  /** The fault is over: recovery counts from here. */
  mended(): void {
    this.#mendedAt = sharedNowMs()
  }

  /** Something else that must hold. */
  expect(holds: boolean, what: string): void {
    if (!holds) this.#failures.push(what)
  }

  /** Checks what was recorded up to now, and leaves it out of the result. Returns how many violations there were. */
  async checkpoint(): Promise<number> {
    await this.fleet.collect(this.history)
    const { counts } = checkHistory(this.history)
    this.#checked = this.history.size
    return counts.violations
  }

  /** Lets everything settle and checks what was recorded. */
  async finish(more: { readonly loads?: readonly LoadBound[]; readonly notes?: readonly string[] } = {}): Promise<Measured> {
    await this.fleet.stopTraffic().catch((error: unknown) => this.#failures.push(String(error)))
    const { errors, events, unhandled } = await this.fleet.tallies()
    await this.fleet.collect(this.history)
    const { counts, violations } = checkHistory(this.history, this.#checked)
    const processes = Array.from({ length: Stage.processes }, (_, place) => place + 1)
    const mendedAt = this.#mendedAt
    return {
      counts,
      failures: [...this.#failures, ...unhandled, ...violations.map(({ text }) => text), ...this.#loadedTooOften()],
      loads: [
        ...this.#stampedes.map(({ when, keys, allowed }) => ({ when, most: mostLoads(this.history, keys), allowed })),
        ...(more.loads ?? []),
      ],
      failedReads: readFailures(errors),
      errors,
      recoveryMs: mendedAt === undefined ? undefined : recoveryMs(this.history, mendedAt, processes),
      notes: [
        ...(more.notes ?? []),
        `${events['miss:unleased'] ?? 0} answers without Redis`,
        `slowest call ${slowestMs(this.history).toFixed(0)} ms`,
      ],
    }
  }

  #loadedTooOften(): string[] {
    return this.#stampedes
      .flatMap(({ keys, allowed }) => keys.filter(key => mostLoads(this.history, [key]) > allowed))
      .map(key => describeLoads(this.history, key))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.redis.resume()
    await this.fleet.stop()
    await this.proxy[Symbol.asyncDispose]()
    await this.redis.stop()
  }
}

/** Rejections of reads, but for those of a loader that was told to fail. */
function readFailures(errors: Readonly<Record<string, number>>): number {
  const reads = Object.entries(errors).filter(([name]) => name.startsWith('get') && !name.endsWith('the source failed'))
  return reads.reduce((sum, [, count]) => sum + count, 0)
}
