import type { StoredKey } from '../../redis/parse-key.ts'
import type { RedisInfo } from '../redis-info.ts'

export type Role = 'cache' | 'queue'

/** Everything that the checks judge. They ask nothing themselves, so recorded facts can stand in for a server. */
export interface Facts {
  readonly role: Role
  readonly info: RedisInfo
  /** The settings that the checks need; undefined where the server or the user's rights do not allow to read them. */
  readonly config: ReadonlyMap<string, string> | undefined
  /** Round trips in ms, in the order they were made. */
  readonly roundTripsMs: readonly number[]
  readonly clock: ClockFact | undefined
  readonly slowLog: readonly SlowCommand[] | undefined
  readonly scripts: ScriptFact
  readonly rights: RightsFact
  readonly sample: KeySample | undefined
  /** What CLUSTER INFO says, on a cluster node. */
  readonly cluster: RedisInfo | undefined
  /** What became of writing, reading and deleting a key, if that was asked for. */
  readonly writeProbe: WriteProbe | undefined
  /** Set when the server stopped answering before everything was asked. */
  readonly interruption: Interruption | undefined
}

export interface Interruption {
  /** What the doctor was doing. */
  readonly doing: string
  /** `silent`: the connection stood, and no answer came in time. */
  readonly how: 'silent' | 'lost'
}

/** How far the server's clock is ahead of this machine's, and how far that may be off. */
export interface ClockFact {
  readonly aheadMs: number
  readonly errorMs: number
}

/** Of a slow log entry the arguments are left out: they hold keys and values. */
export interface SlowCommand {
  readonly command: string
  readonly tookMs: number
  /** Seconds before the server's now. */
  readonly ageSeconds: number
  /** Whether one of the keys lies in Leasehold's layout. */
  readonly ours: boolean
}

export type ScriptFact = 'works' | 'forbidden' | 'missing' | 'unknown'

export interface RightsFact {
  readonly user: string | undefined
  /** `all`: asked for every right. `reads`: only reads could be tried, since the user may not ask. */
  readonly extent: 'all' | 'reads' | 'none' | 'no such user'
  readonly missing: readonly string[]
  /** Why nobody can log in as this user, if so. */
  readonly barred?: 'off' | 'no password'
  /** Rights without which a courtesy to the operator is missing, nothing else. */
  readonly missingCourtesy: readonly string[]
}

export interface SampledKey {
  readonly name: string
  /** What it is in Leasehold's layout, if anything. */
  readonly stored: StoredKey | undefined
  /** -1: it never expires. */
  readonly ttlMs: number
  /** Until an entry of ours is stale, by the server's clock. */
  readonly freshMs: number | undefined
  /** What Redis says it takes, undefined where it may not be asked. */
  readonly bytes: number | undefined
}

export interface KeySample {
  readonly keys: readonly SampledKey[]
  /** Whether these are all keys of the database. */
  readonly complete: boolean
  /** Keys in the database. */
  readonly total: number
}

export type WriteProbe =
  /** `left`: what was made for it and could not be removed. */
  | { readonly outcome: 'works'; readonly left: readonly string[] }
  | { readonly outcome: 'failed'; readonly reason: string; readonly fix?: string }
