import type { CacheOptions, CallOptions, SetOptions } from '../../src/index.ts'

export type Command =
  | 'read'
  | 'read-header'
  | 'acquire'
  | 'renew'
  | 'commit'
  | 'release'
  | 'put'
  | 'remove'
  | 'expire'
  | NamespaceCommand

/** Those that concern the whole namespace. `record`: reads the record apart from entries, as in a cluster. */
export type NamespaceCommand = 'record' | 'stamp' | 'newest-tag' | 'bump-tags' | 'clear' | 'pulse'

/** How messages travel. The shares are of all messages of their kind. */
export interface Weather {
  /** The longest one way takes, in ms. */
  readonly requestMs: number
  readonly replyMs: number
  readonly wakeMs: number
  readonly lostRequest: number
  readonly lostReply: number
  /** Arrives up to `lateMs` later, as a rule after its caller gave up. */
  readonly lateRequest: number
  readonly lateMs: number
  /** Executed once more before the caller hears of it, as by a client that sends again what it is not sure of. */
  readonly resent: number
  readonly lostWake: number
  readonly repeatedWake: number
  readonly lateWake: number
  /** Of changes and pulses. Late ones are overtaken by others. */
  readonly lostChange: number
  readonly repeatedChange: number
  readonly lateChange: number
}

export interface ProcessPlan {
  /** How far its wall clock is from the server's. */
  readonly wallOffsetMs: number
  readonly options: Partial<CacheOptions>
}

export type LoaderKind =
  | 'value'
  | 'fails'
  | 'throws-undefined'
  | 'nothing'
  | 'skips'
  | 'hangs'
  | 'not-modified'
  | 'sets-ttl'
  | 'too-large'
  | 'unserializable'
  | 'nested'
  | 'recursive'

export interface LoaderPlan {
  readonly kind: LoaderKind
  readonly takesMs: number
  /** When within its run it looks at the source: 0 at the beginning, 1 at the end. */
  readonly readsAt: number
  readonly ignoresSignal: boolean
  readonly ttlMs: number
  /** Tags that it finds out. */
  readonly addsTags: readonly string[]
  /** What a nested loader asks for. */
  readonly asks: string
}

interface OpBase {
  readonly id: number
  readonly at: number
  readonly process: number
  readonly key: string
  readonly version: number
}

export interface GetOrSetOp extends OpBase {
  readonly kind: 'getOrSet'
  readonly options: CallOptions
  readonly abortAfterMs: number | undefined
  readonly loader: LoaderPlan
}
export interface SetOp extends OpBase {
  readonly kind: 'set'
  readonly options: SetOptions
  readonly tooLarge: boolean
}
/** Concerns no single key: `''`. */
export interface TagsOp extends OpBase {
  readonly kind: 'invalidateTags'
  readonly tags: readonly string[]
}
export interface PlainOp extends OpBase {
  readonly kind: 'get' | 'getMany' | 'getEntry' | 'has' | 'delete' | 'expire' | 'deleteAll' | 'clear'
}
export type Op = GetOrSetOp | SetOp | TagsOp | PlainOp

/** `swap`: the bytes of another key. `codec` and `payload`: bytes whose checksum is right. */
export type Damage = 'flip' | 'cut' | 'foreign' | 'future' | 'swap' | 'codec' | 'payload'

export type TimedFault =
  | {
      readonly kind: 'pause'
      readonly at: number
      readonly process: number
      readonly ms: number
      readonly first: 'timers' | 'messages'
    }
  | { readonly kind: 'kill'; readonly at: number; readonly process: number; readonly restartMs: number | undefined }
  | { readonly kind: 'close'; readonly at: number; readonly process: number; readonly restartMs: number }
  | { readonly kind: 'bus-down'; readonly at: number; readonly process: number; readonly ms: number; readonly noticedMs: number }
  /** Nothing that the bus sends arrives, and nobody notices. */
  | { readonly kind: 'bus-silent'; readonly at: number; readonly process: number; readonly ms: number }
  | { readonly kind: 'disconnect'; readonly at: number; readonly process: number; readonly ms: number }
  | { readonly kind: 'stuck'; readonly at: number; readonly process: number; readonly ms: number }
  | { readonly kind: 'evict-value' | 'evict-lease'; readonly at: number; readonly key: string; readonly version: number }
  | { readonly kind: 'evict-all' | 'evict-record' | 'evict-tags'; readonly at: number }
  | { readonly kind: 'full'; readonly at: number; readonly ms: number }
  | { readonly kind: 'snapshot'; readonly at: number }
  | { readonly kind: 'restart'; readonly at: number; readonly downMs: number; readonly from: 'empty' | 'snapshot' }
  | { readonly kind: 'clock-step'; readonly at: number; readonly ms: number }
  | { readonly kind: 'corrupt'; readonly at: number; readonly key: string; readonly version: number; readonly damage: Damage }

/** One schedule, whole: the same plan gives the same run. */
export interface Plan {
  readonly seed: number
  /** Nothing fails but loaders, and nothing is late: what is promised without faults must hold. */
  readonly calm: boolean
  readonly processes: readonly ProcessPlan[]
  /** The namespace record is read by a command of its own, as in a cluster. */
  readonly recordApart: boolean
  /** Values are so large that processes which remember them ask for headers. */
  readonly large: boolean
  readonly weather: Weather
  readonly ops: readonly Op[]
  readonly faults: readonly TimedFault[]
  /** Messages that travel well whatever the weather: what shrinking takes away. */
  readonly spared: ReadonlySet<string>
}
