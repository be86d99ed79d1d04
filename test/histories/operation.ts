/** What a process can do: to a key, to all keys with a tag, or to all there are. */
export const operationKinds = ['getOrSet', 'get', 'set', 'delete', 'expire', 'load', 'invalidateTags', 'clear'] as const
export type OperationKind = (typeof operationKinds)[number]

/** Whether it concerns more than one key. */
export function isBroad(kind: OperationKind): boolean {
  return kind === 'invalidateTags' || kind === 'clear'
}

/**
 * How an operation ended. For reads: what the status record said of the answer, `nothing` for an answer without a value. For writes:
 * `acknowledged`, or `failed` when the caller was told that it may not have been applied. For loads: `loaded` or `failed`.
 */
export const outcomes = [
  'hit',
  /** By a copy in the process, without asking Redis. */
  'copied',
  'loaded',
  'joined',
  'waited',
  'unleased',
  'stale',
  'nothing',
  'acknowledged',
  /** The loader's own error. */
  'source-failed',
  'failed',
  /** Answered, but no status record said how. */
  'untold',
  /** Answered with the value of another key. */
  'foreign',
] as const
export type Outcome = (typeof outcomes)[number]

/** The load or the `set` that a value comes from. Every value tells its own. */
export interface Origin {
  readonly kind: 'load' | 'set'
  readonly process: number
  readonly id: number
  /** When the loader, or the call of `set`, began. */
  readonly began: number
}

/** One thing that one process did. Times are monotonic ms of a clock that all processes of the machine share. */
export interface Operation {
  readonly kind: OperationKind
  /** Of `invalidateTags` the tag's number, of `clear` 0. */
  readonly key: number
  readonly process: number
  /** Unique within the process. */
  readonly id: number
  /** Taken before the call. */
  readonly began: number
  /** Taken after its end. */
  readonly ended: number
  readonly outcome: Outcome
  /** What a read answered with. */
  readonly value?: Origin
}

/** What stands behind an answer, and so which invalidations it has to respect. */
export type Backing =
  /** Redis: every invalidation of the key, by whomever. */
  | 'vouched'
  /** A value that Redis keeps past its freshness: not those that delete or replace it, but it may have been expired. */
  | 'stale'
  /** A load without a lease: those of the process itself. */
  | 'outage'
  /** A copy in the process: those of the process itself, and others' after a while. */
  | 'copy'
  /** No value, or nothing known about it. */
  | 'none'

export function backingOf(outcome: Outcome): Backing {
  switch (outcome) {
    case 'hit':
    case 'loaded':
    case 'joined':
    case 'waited':
      return 'vouched'
    case 'copied':
      return 'copy'
    case 'stale':
      return 'stale'
    case 'unleased':
      return 'outage'
    default:
      return 'none'
  }
}
