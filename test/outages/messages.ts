import type { CacheOptions } from '../../src/index.ts'
import type { RedisOptions } from 'ioredis'
import type { Operation } from '../histories/operation.ts'

export const outageTtlMs = 1000

export interface Load {
  readonly perSecond: number
  readonly keys: number
  readonly loadMs: number
  /** Keys beside those that are deleted all the time; what is answered for them is recorded. */
  readonly changing?: { readonly keys: readonly number[]; readonly readsPerSecond: number; readonly deletesPerSecond: number }
}

/** What one process has seen since it was last asked. Times are monotonic ms that all processes of the machine share. */
export interface Seen {
  readonly calls: number
  /** Errors that callers saw, by code. */
  readonly errors: Readonly<Record<string, number>>
  /** How much longer the slowest call took than its load. */
  readonly overMs: number
  readonly loads: number
  /** How often one key was loaded at most within any one outage ttl. */
  readonly mostLoadsPerTtl: number
  /** When each key was loaded. */
  readonly loadTimes: Readonly<Record<string, readonly number[]>>
  readonly mostLoadersAtOnce: number
  /** When Redis was first heard of again, counted from `since`. */
  readonly firstVouchedAt: number | undefined
  /** The largest heap, in MiB. */
  readonly heapMb: number
  readonly outcomes: Readonly<Record<string, number>>
}

/** A server, what Sentinel names, or the ports of a cluster's servers. */
export type RedisOfRow = string | RedisOptions | { readonly clusterPorts: readonly number[] }

export interface Commands {
  open: {
    request: {
      namespace: string
      /** Tells this process's recorded calls from those of others. */
      process: number
      redis: RedisOfRow
      options: Omit<CacheOptions, 'namespace' | 'store' | 'clock' | 'random' | 'codec' | 'compression'>
    }
    reply: void
  }
  /** Calls at a steady pace, whether or not earlier calls were answered, until `stop`. */
  start: { request: Load; reply: void }
  stop: { request: undefined; reply: void }
  /** The calls of changing keys that were made since the last time. */
  recorded: { request: undefined; reply: readonly Operation[] }
  /** What was seen since the last time; `since`: from when the first answer of Redis is looked for. */
  take: { request: { since: number | undefined }; reply: Seen }
  delete: { request: { keys: readonly string[] }; reply: readonly string[] }
  /** What `getOrSet` answers for each key now, and how it came about. */
  ask: { request: { keys: readonly string[]; value: string }; reply: readonly string[] }
  close: { request: undefined; reply: void }
}
