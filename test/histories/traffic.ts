import { setImmediate as turn, setTimeout as passed } from 'node:timers/promises'
import type { CallOptions, PolicyOptions, Random } from '../../src/index.ts'
import type { Answered, LoadPlan, RecordedCache } from './recorded-cache.ts'
import { foundTag, namedTag, tagCount, tagName } from './tags-of-keys.ts'

/** What a process's callers do, each one call after the other. */
export interface TrafficPlan {
  readonly seed: number
  readonly keys: number
  /** Half of the calls go to so many of them. Default: no difference. */
  readonly hotKeys?: number
  /** How many callers there are at once. */
  readonly callers: number
  /** How many calls to make in all. Default: until it is stopped. */
  readonly calls?: number
  /** A caller's pause between two calls lasts up to this long, in ms. Default 0. */
  readonly pauseMs?: number
  /** Out of a hundred calls, so many are of that kind; the rest are `getOrSet`. */
  readonly shares?: Partial<Shares>
  /** Values have tags, so that they may be invalidated by them. Default false. */
  readonly tagged?: boolean
}

interface Shares {
  readonly get: number
  readonly set: number
  readonly delete: number
  readonly expire: number
  readonly forceFresh: number
  /** Needs `tagged`. */
  readonly invalidateTags: number
  readonly clear: number
}

const usualShares: Shares = { get: 4, set: 3, delete: 4, expire: 2, forceFresh: 2, invalidateTags: 0, clear: 0 }

/** Keys have different policies, so that every way to an answer is taken: by number, in turn. */
const policies: readonly PolicyOptions[] = [
  { ttl: '1s' },
  { ttl: '100ms', staleWhileRevalidate: '100ms' },
  { ttl: '200ms', refresh: { strategy: 'window', window: '100ms', probability: 0.1 } },
  { ttl: '100ms', staleIfError: '300ms' },
]
const longLoadShare = 0.1
const failureShare = 0.05

/** Callers of one process at work. */
export class Traffic {
  readonly #cache: RecordedCache
  readonly #plan: TrafficPlan
  readonly #random: Random
  readonly #shares: Shares
  #made = 0
  #stopped = false

  constructor(cache: RecordedCache, plan: TrafficPlan, random: Random) {
    this.#cache = cache
    this.#plan = plan
    this.#random = random
    this.#shares = { ...usualShares, ...plan.shares }
  }

  /** How many calls have been begun. */
  get made(): number {
    return this.#made
  }

  stop(): void {
    this.#stopped = true
  }

  /** Resolves when every caller has had its last answer. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#plan.callers }, () => this.#caller()))
  }

  async #caller(): Promise<void> {
    const { calls = Infinity, pauseMs = 0 } = this.#plan
    while (!this.#stopped && this.#made < calls) {
      this.#made++
      const { outcome } = await this.#next()
      if (pauseMs > 0) await passed(this.#random.next() * pauseMs)
      // What fails at once must not keep the process from everything else.
      else if (outcome === 'failed' || outcome === 'nothing') await turn()
    }
  }

  #next(): Promise<Answered> {
    const cache = this.#cache
    const key = this.#key()
    const { tagged = false } = this.#plan
    const plain = policies[key % policies.length] as PolicyOptions
    const policy = tagged ? { ...plain, tags: [tagName(namedTag(key))] } : plain
    const found = tagged ? [tagName(foundTag(key))] : []
    let dice = this.#random.next() * 100
    const falls = (share: number): boolean => (dice -= share) < 0
    const shares = this.#shares
    if (falls(shares.delete)) return cache.delete(key)
    if (falls(shares.expire)) return cache.expire(key)
    if (falls(shares.set)) return cache.set(key, storing(policy, found))
    if (falls(shares.invalidateTags)) return cache.invalidateTags(Math.floor(this.#random.next() * tagCount))
    if (falls(shares.clear)) return cache.clear()
    if (falls(shares.get)) return cache.get(key)
    const options: CallOptions = falls(shares.forceFresh) ? { ...policy, forceFresh: true } : policy
    return cache.getOrSet(key, { ...this.#load(policy), tags: found }, options)
  }

  #key(): number {
    const { keys, hotKeys } = this.#plan
    const among = hotKeys !== undefined && this.#random.next() < 0.5 ? hotKeys : keys
    return Math.floor(this.#random.next() * among)
  }

  #load({ staleIfError }: PolicyOptions): LoadPlan {
    const next = (): number => this.#random.next()
    const takesMs = next() < longLoadShare ? 10 + next() * 50 : 1 + next() * 4
    return staleIfError !== undefined && next() < failureShare ? { takesMs, ends: 'error' } : { takesMs }
  }
}

/** The options of a policy that `set` takes. */
function storing({ ttl, staleWhileRevalidate, staleIfError, tags = [] }: PolicyOptions, found: readonly string[]): PolicyOptions {
  return {
    ...(ttl === undefined ? {} : { ttl }),
    ...(staleWhileRevalidate === undefined ? {} : { staleWhileRevalidate }),
    ...(staleIfError === undefined ? {} : { staleIfError }),
    tags: [...tags, ...found],
  }
}
