import type { UnreadableReason } from './ports.ts'
import type { StoreErrorCode } from './errors.ts'

interface KeyRecord {
  readonly key: string
  readonly version: number
  /** Wall-clock ms since 1970 when the record was made. */
  readonly at: number
}

/** A call answered with a fresh value that the store vouched for, now or for its copy in this process, without waiting for a load. */
export interface HitRecord extends KeyRecord {
  /** `local`: the copy in this process, without asking the store. */
  readonly from: 'store' | 'local'
  readonly ageMs: number
  readonly remainingMs: number
  readonly bytes: number
  readonly durationMs: number
}

/** `get`, `getEntry` or `has`, which look and load nothing. */
export interface LookupRecord extends KeyRecord {
  readonly operation: 'get' | 'getEntry' | 'getMany' | 'has'
  /** `absent`: nothing readable is stored, or the store failed. */
  readonly outcome: 'fresh' | 'stale' | 'absent'
  /** Who answered: the store, or a copy in this process. */
  readonly from: 'store' | 'local'
  /** Of the entry, encoded; 0 when absent. Of a copy what it takes in memory, by estimate. */
  readonly bytes: number
  readonly durationMs: number
}

/** A call that found nothing it could use and went through a load, its own or another's. */
export interface MissRecord extends KeyRecord {
  /** `loaded`: this call started the load; `joined`: it shared one of this process; `waited`: another process loaded; `unleased`: loaded without the store; `kept`: what this process loaded a moment ago without the store; `bypassed`: its key does not go through the cache; `failed`: it rejected. */
  readonly outcome: 'loaded' | 'joined' | 'waited' | 'unleased' | 'kept' | 'bypassed' | 'failed'
  readonly durationMs: number
  readonly error?: unknown
}

/** A call answered with a value past its freshness. */
export interface StaleRecord extends KeyRecord {
  /** Why: `revalidate` (staleWhileRevalidate), else staleIfError after a failed load, a soft or hard timeout, a cooldown, or the store's absence. */
  readonly reason: 'revalidate' | 'load-failed' | 'timeout' | 'cooldown' | 'store-failed'
  /** How long past freshness, in ms. */
  readonly staleMs: number
  readonly bytes: number
  readonly durationMs: number
}

/** A flight that waited because another process held the lease. */
export interface WaitRecord extends KeyRecord {
  readonly waitedMs: number
  readonly outcome: 'value' | 'granted' | 'unqueued' | 'cooling' | 'gave-up' | 'store-failed'
}

/** A loader that ran. */
export interface LoadRecord extends KeyRecord {
  readonly outcome: 'value' | 'nothing' | 'failed' | 'timeout' | 'aborted'
  readonly durationMs: number
  readonly leased: boolean
  /** A refresh that no caller waited for. */
  readonly background: boolean
  readonly error?: unknown
}

/** What became of a loaded value. */
export interface CommitRecord extends KeyRecord {
  /** `unknown`: no reply. `too-large`: over `maxValueBytes`, not sent. */
  readonly outcome: 'stored' | 'lost' | 'late' | 'full' | 'unknown' | 'too-large'
  /** Of the entry, encoded, header included. */
  readonly bytes: number
  /** Of the value, serialized but not compressed. */
  readonly payloadBytes: number
}

/** A renewal of a lease whose loader is still running. */
export interface RenewalRecord extends KeyRecord {
  /** `lost`: the lease is not ours any more. `unknown`: no reply, which is no loss. */
  readonly outcome: 'renewed' | 'lost' | 'unknown'
}

/** A lease that was revoked or ran out while its loader was running. */
export interface LostRecord extends KeyRecord {
  readonly heldMs: number
}

/** A refresh that was offered. */
export interface RefreshRecord extends KeyRecord {
  readonly reason: 'early' | 'stale'
  /**
   * `refreshed`: stored. `not-stored`: loaded, but the commit says why it was not stored, or the loader returned nothing or skipped. `busy`: another
   * process refreshes. `superseded`: someone else has changed the key. `full`: the refresh pool had no room.
   */
  readonly outcome: 'refreshed' | 'not-stored' | 'failed' | 'busy' | 'superseded' | 'full'
}

/** `set` was applied. `full`: the store had no room, and what stood there before is gone; `deferred`: the store could not be told, and what stands there will be removed. */
export interface SetRecord extends KeyRecord {
  readonly outcome: 'stored' | 'full' | 'unknown' | 'deferred'
  readonly bytes: number
  readonly payloadBytes: number
  readonly durationMs: number
}

/** `delete`, `expire`, `invalidateTags` or `clear` was applied or deferred. The last two concern no single key: theirs is `''`. */
export interface InvalidateRecord extends KeyRecord {
  readonly operation: 'delete' | 'expire' | 'tags' | 'clear'
  /** `deferred`: the store could not be told yet. */
  readonly outcome: 'applied' | 'deferred'
  /** What `invalidateTags` was given. */
  readonly tags?: readonly string[]
  readonly durationMs: number
}

/** A value that the codec could not write. The load, or the `set`, fails. */
export interface EncodeErrorRecord extends KeyRecord {
  readonly operation: 'load' | 'set'
  readonly error: unknown
}

/** Bytes in the store that were not a readable entry. The call treats them as a miss. */
export interface DecodeErrorRecord extends KeyRecord {
  /** `schema`: the resource's schema refuses it; `upgrade`: it could not be brought forward from the version before. */
  readonly reason: UnreadableReason | 'schema' | 'upgrade'
  readonly bytes: number
  readonly error?: unknown
}

/** A store command that failed. `bump-tags` and `clear` concern no single key: theirs is `''`. */
export interface StoreErrorRecord extends KeyRecord {
  readonly command:
    | 'read'
    | 'acquire'
    | 'renew'
    | 'commit'
    | 'release'
    | 'put'
    | 'remove'
    | 'expire'
    | 'stamp'
    | 'newest-tag'
    | 'bump-tags'
    | 'clear'
  readonly code: StoreErrorCode
  readonly outcome: 'unknown' | 'not-executed'
  readonly error: unknown
}

/** The store, or the bus that carries its wake-ups, became usable or stopped being so. */
export interface ConnectionRecord {
  readonly at: number
  readonly part: 'store' | 'bus'
  readonly state: 'up' | 'down'
}

/** A value that was answered from the store was loaded once more and compared: the `shadow` option. */
export interface ShadowRecord extends KeyRecord {
  /** `superseded`: replaced or deleted while it was loaded. `failed`: the loader failed, or its value could not be compared. */
  readonly outcome: 'same' | 'different' | 'superseded' | 'failed'
  /** How old the value from the store was. */
  readonly ageMs: number
}

/** The journal of invalidations that the store has not been told changed. */
export interface JournalRecord {
  readonly at: number
  /**
   * `deferred`: more wait; `doubted`: the store may have forgotten recent ones, so they wait again; `overflowed`: there were too many, so that one clear of
   * the namespace waits in their place; `replayed`: the store has been told.
   */
  readonly change: 'deferred' | 'doubted' | 'overflowed' | 'replayed'
  /** How many this is about. */
  readonly count: number
  /** How many wait now. */
  readonly waiting: number
}

export type BreakerState = 'closed' | 'open' | 'half-open'
export type BreakerReason = 'errors' | 'latency' | 'probe'

/** The breaker of a server changed its state. While it is not closed, reads and loads are kept away from that server. */
export interface BreakerRecord {
  readonly at: number
  /** `host:port`, the path of a socket, or the name that Sentinel knows the server by. */
  readonly endpoint: string
  readonly state: 'closed' | 'open' | 'half-open'
  /** `errors`: too many commands failed; `latency`: too many were slow; `probe`: a try went well, or did not, or is made. */
  readonly reason: 'errors' | 'latency' | 'probe'
}

export interface CacheEvents {
  hit: HitRecord
  lookup: LookupRecord
  miss: MissRecord
  stale: StaleRecord
  wait: WaitRecord
  load: LoadRecord
  commit: CommitRecord
  renewal: RenewalRecord
  lost: LostRecord
  refresh: RefreshRecord
  set: SetRecord
  invalidate: InvalidateRecord
  'encode-error': EncodeErrorRecord
  'decode-error': DecodeErrorRecord
  'store-error': StoreErrorRecord
  connection: ConnectionRecord
  breaker: BreakerRecord
  journal: JournalRecord
  shadow: ShadowRecord
}

export type CacheEventName = keyof CacheEvents
