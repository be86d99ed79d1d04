import type { Loads, SourcePace } from './catalogue.ts'
import type { ContenderId } from './contenders/index.ts'
import type { Traffic } from './traffic.ts'

interface Done {
  readonly kind: 'done'
}

interface Failed {
  readonly kind: 'failed'
  readonly message: string
}

export type ToService =
  | {
      readonly kind: 'open'
      readonly contender: ContenderId
      readonly databaseUrl: string
      readonly schema: string
      readonly redisUrl: string
      readonly namespace: string
      readonly ttlMs: number
      readonly pace: SourcePace
      readonly seed: number
    }
  /** Begins with an empty cache of its own. */
  | { readonly kind: 'reopen' }
  /** From here on what happens is counted. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'finish' }
  /** Answers what is under way, closes, and says what happened. No new request may come any more. */
  | { readonly kind: 'drain' }

export type FromService =
  | Done
  | Failed
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'finished'; readonly account: ServiceAccount }

/** What one service process did while it was counted. */
export interface ServiceAccount {
  readonly loads: Loads
  readonly reads: number
  readonly misses: number
  readonly cpuMs: number
  /** Heap after a collection, beyond what stood when it opened. */
  readonly heapGrowthBytes: number
}

export type ToGenerator =
  | {
      readonly kind: 'play'
      readonly traffic: Traffic
      readonly seed: number
      readonly index: number
      readonly of: number
      /** On the shared clock. */
      readonly startAt: number
      readonly ports: readonly number[]
      readonly timeoutMs: number
      readonly connections: number
    }
  /** Requests go to these services from now on. */
  | { readonly kind: 'target'; readonly ports: readonly number[] }

export type FromGenerator =
  | Failed
  | { readonly kind: 'tick'; readonly counts: Counts }
  | { readonly kind: 'played'; readonly record: TrafficRecord }

export interface Counts {
  readonly sent: number
  readonly answered: number
  readonly failed: number
}

/** One row per request, in the order of their arrival. Moments in ms since the start. */
export interface TrafficRecord {
  /** When it was to arrive. */
  readonly dueMs: Float64Array
  /** When it was sent. */
  readonly askedMs: Float64Array
  readonly doneMs: Float64Array
  readonly product: Uint32Array
  readonly write: Uint8Array
  /** The row's version that was answered or made; 0: the request failed. */
  readonly version: Uint32Array
  /** 1: the row was changed, and its invalidation was yet to happen. */
  readonly deferred: Uint8Array
  /** CPU time of the generator, in ms. */
  readonly cpuMs: number
  readonly firstFailure: string | undefined
}
