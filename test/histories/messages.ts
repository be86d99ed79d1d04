import type { CacheOptions, CallOptions } from '../../src/index.ts'
import type { Answered, LoadPlan } from './recorded-cache.ts'
import type { TrafficPlan } from './traffic.ts'

export type RecordedOptions = Pick<
  CacheOptions,
  | 'commandTimeout'
  | 'compressAbove'
  | 'local'
  | 'storeBudget'
  | 'values'
  | 'lease'
  | 'timeout'
  | 'errorCooldown'
  | 'staleIfError'
  | 'ttl'
  | 'closeTimeout'
>

export interface OpenRequest {
  /** Tells this process's operations and values from those of others. */
  readonly process: number
  readonly namespace: string
  /** One server, or several nodes of a cluster. */
  readonly redisUrls: readonly string[]
  /** Where it writes what it does. */
  readonly folder: string
  readonly options: RecordedOptions
  readonly paddingBytes?: number
  /** Tell the parent of each load at once. Default false. */
  readonly tellLoads?: boolean
  /** Moves the process's wall clock. */
  readonly clockOffsetMs?: number
}

/** What a process uses, at a moment at which it does nothing. */
export interface Usage {
  /** Without compiled code, which goes on growing for a long time. */
  readonly heapBytes: number
  readonly codeBytes: number
  readonly externalBytes: number
  /** What keeps a process from ending: sockets, timers, …, by type. */
  readonly resources: Readonly<Record<string, number>>
}

export interface Progress {
  readonly made: number
  /** Calls that have not settled. */
  readonly running: number
}

export interface Tallies {
  readonly events: Readonly<Record<string, number>>
  /** What callers were told, by operation and code. */
  readonly errors: Readonly<Record<string, number>>
  /** Rejections that nobody handled, and exceptions that nobody caught. */
  readonly unhandled: readonly string[]
}

export interface CallRequest {
  readonly keys: readonly number[]
  /** How often each, all at once. Default 1. */
  readonly times?: number
  readonly plan: LoadPlan
  readonly options?: Omit<CallOptions, 'signal'>
}

/** What the parent may ask of a recording process. */
export interface Commands {
  /** Opens the cache and waits until its store and bus stand. */
  open: { request: OpenRequest; reply: void }
  /** Starts callers; resolves at once. */
  start: { request: TrafficPlan; reply: void }
  progress: { request: void; reply: Progress }
  /** Lets the callers finish. Resolves when the last call has settled. */
  stop: { request: void; reply: void }
  getOrSet: { request: CallRequest; reply: readonly Answered[] }
  get: { request: { readonly keys: readonly number[] }; reply: readonly Answered[] }
  delete: { request: { readonly keys: readonly number[] }; reply: readonly Answered[] }
  set: { request: { readonly keys: readonly number[] }; reply: readonly Answered[] }
  /** Writes down all that was done so far. */
  endPart: { request: void; reply: void }
  tallies: { request: void; reply: Tallies }
  /** Collects garbage first, which needs `--expose-gc`. */
  usage: { request: void; reply: Usage }
  close: { request: void; reply: void }
}

/** Sent the moment a loader begins. */
export interface LoadNotice {
  readonly process: number
  readonly key: number
  readonly at: number
}
