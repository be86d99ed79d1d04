export type ToMember =
  | {
      readonly kind: 'open'
      readonly peer: string
      readonly redisUrl: string
      readonly prefix: string
      readonly ttlMs: number
      readonly loadMs: number
    }
  /** What the source holds from now on. */
  | { readonly kind: 'source'; readonly version: number }
  /** Many callers of one key at one moment of the shared clock. */
  | { readonly kind: 'stampede'; readonly id: string; readonly callers: number; readonly startAt: number }
  /** Begins reads and answers once their loads run. */
  | { readonly kind: 'begin'; readonly ids: readonly string[] }
  | { readonly kind: 'remove'; readonly ids: readonly string[] }
  /** Answers when the reads that were begun have ended. */
  | { readonly kind: 'settle' }
  | { readonly kind: 'read'; readonly ids: readonly string[] }
  | {
      readonly kind: 'traffic'
      readonly perSecond: number
      readonly forMs: number
      readonly keys: number
      readonly patienceMs: number
    }
  | { readonly kind: 'close' }

export type FromMember =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'stampeded'; readonly loads: number; readonly tookMs: readonly number[] }
  /** The version that each read answered with; null: it failed. */
  | { readonly kind: 'read'; readonly versions: readonly (number | null)[] }
  | { readonly kind: 'traffic'; readonly account: TrafficAccount }

export interface TrafficAccount {
  readonly calls: number
  readonly failed: number
  /** Neither answered nor failed when patience ended. */
  readonly unanswered: number
  readonly p99Ms: number
  readonly longestMs: number
  readonly loads: number
  readonly firstFailure: string | undefined
}
