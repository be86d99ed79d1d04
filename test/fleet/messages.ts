import type { CacheOptions, CallOptions } from '../../src/index.ts'

/** What a loader does when it runs in a member. */
export interface LoaderPlan {
  /** How long it takes. Default 0. */
  readonly takesMs?: number
  /** It goes on until the parent opens this gate. */
  readonly gate?: string
  /** How it ends. Default: with the key's source value as it stood when the loader began. */
  readonly ends?: 'value' | 'error' | 'throw-undefined' | 'nothing'
}

/** One call's answer. Times are monotonic ms that all processes of the machine share. */
export interface Answer {
  readonly value?: string
  readonly error?: string
  readonly startedAt: number
  readonly endedAt: number
}

export type Subject = 'leasehold' | 'control'
export type MemberCacheOptions = Omit<CacheOptions, 'namespace' | 'store' | 'codec' | 'compression' | 'clock' | 'random'>
export type MemberCallOptions = Omit<CallOptions, 'signal'>

interface OfCache {
  readonly namespace: string
}

interface Reading extends OfCache {
  readonly loader: LoaderPlan
  readonly options?: MemberCallOptions
}

/** What the parent may ask of a member, and what it answers. */
export interface Commands {
  /** Opens a cache and waits until its store and bus stand. */
  open: { request: OfCache & { redisUrl: string; subject: Subject; breaker: boolean; options: MemberCacheOptions }; reply: void }
  /** Calls `getOrSet` for each key `times` times, all at once. */
  read: { request: Reading & { keys: readonly string[]; times: number }; reply: readonly Answer[] }
  /** Calls `getOrSet` at a steady pace, whether or not earlier calls were answered. */
  traffic: { request: Reading & { key: string; everyMs: number; calls: number; startInMs: number }; reply: readonly Answer[] }
  /** Calls `getOrSetMany`, whose loader takes that long. Replies with the values, and the sizes of the loads that it took. */
  readMany: {
    request: OfCache & { keys: readonly string[]; takesMs: number }
    reply: { readonly values: readonly string[]; readonly loads: readonly number[] }
  }
  get: { request: OfCache & { keys: readonly string[] }; reply: readonly (string | null)[] }
  set: { request: OfCache & { keys: readonly string[]; value: string }; reply: void }
  delete: { request: OfCache & { keys: readonly string[] }; reply: void }
  expire: { request: OfCache & { keys: readonly string[] }; reply: void }
  /** Reads the key until its copy stands in the local tier. */
  remember: { request: OfCache & { key: string }; reply: void }
  /** Looks until the key's copy is gone from the local tier, and says when that was. */
  untilForgotten: { request: OfCache & { key: string }; reply: number }
  /** What loaders of this member find from now on. */
  source: { request: OfCache & { value: string }; reply: void }
  /** Lets the loaders behind the gate go on, now and later. */
  openGate: { request: { gate: string }; reply: void }
  /** How many status records there were since the last time: `hit`, `miss:loaded`, `commit:lost`, … */
  records: { request: OfCache; reply: Readonly<Record<string, number>> }
  close: { request: OfCache; reply: void }
}

/** Sent the moment a loader begins or ends, before the answers that it gives rise to. */
export interface LoadNotice {
  readonly kind: 'load-began' | 'load-ended'
  readonly namespace: string
  readonly key: string
  readonly at: number
}

/** Monotonic ms, the same clock in every process of the machine. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
