/**
 * What the engine asks of the world. Stores, codecs and clocks implement these; the engine imports nothing else.
 */
import type { StoreError } from './errors.ts'
import type { BreakerRecord } from './events.ts'
import type { Standing } from './tags/namespace-record.ts'

/** A lease token: 16 random bytes that belong to one load attempt. */
export type Token = Buffer

/** What a store knows a key by. The namespace is the store's own. */
export interface EntryKey {
  readonly key: string
  /** Part of the value and lease keys, not of the partition. 0 when the caller gave none. */
  readonly version: number
}

/** Everything a command needs to be refused when it arrives after its caller gave up. */
export interface Deadline {
  /** How long the caller waits for the reply, in ms. */
  readonly timeoutMs: number
  /** Server time in ms after which the store must refuse the command. */
  readonly notAfter: number
}

export interface AcquireRequest extends EntryKey, Deadline {
  readonly token: Token
  readonly leaseMs: number
  /** A fresh value whose token is listed is not an answer. `'any'`: no value is an answer, the lease alone is wanted. */
  readonly seen: readonly Token[] | 'any'
  /** Tokens of earlier attempts whose outcome is unknown; a lease that one of them holds is replaced. */
  readonly dead: readonly Token[]
  /** Whether the caller waits when the lease is taken, and so must be woken. */
  readonly wait: boolean
}

export type AcquireReply =
  /** A fresh value that the caller had not seen. */
  | { readonly kind: 'value'; readonly bytes: Buffer }
  | { readonly kind: 'granted' }
  | {
      readonly kind: 'busy'
      /** How long the lease still runs, in ms. */
      readonly remainingMs: number
      readonly holder: Token
      /** The token of the value that stands in the store, fresh or stale. */
      readonly valueToken: Token | undefined
    }
  /** The lease is taken and the key is marked "do not queue": load without a lease. */
  | { readonly kind: 'unqueued' }
  | { readonly kind: 'cooling'; readonly errorCode: string; readonly remainingMs: number }
  /** The command arrived after `notAfter` and changed nothing. */
  | { readonly kind: 'late' }
  /** The store is full and refuses writes. */
  | { readonly kind: 'full' }

export interface RenewRequest extends EntryKey {
  readonly token: Token
  readonly leaseMs: number
  readonly timeoutMs: number
}

export interface CommitRequest extends EntryKey, Deadline {
  readonly token: Token
  readonly bytes: Buffer
  /** How long the store keeps the entry, in ms, counted from the commit. */
  readonly keepMs: number
}

/** `'stored'` also answers the repeat of a commit that had landed. `'full'`: not stored, lease released. */
export type CommitReply = 'stored' | 'lost' | 'late' | 'full'

/** What a load that stored nothing leaves behind for `markerMs`. */
export type Marker =
  | { readonly kind: 'none' }
  /** Others need not wait for this key's lease: its loads leave nothing to share. */
  | { readonly kind: 'do-not-queue'; readonly markerMs: number }
  /** The source just failed: nobody may load. */
  | { readonly kind: 'cooldown'; readonly markerMs: number; readonly errorCode: string }

export interface ReleaseRequest extends EntryKey {
  readonly token: Token
  readonly marker: Marker
  readonly timeoutMs: number
}

export interface PutRequest extends EntryKey, Deadline {
  readonly bytes: Buffer
  readonly keepMs: number
}

/** `'full'`: not stored; what stood there before is removed all the same. */
export type PutReply = 'stored' | 'late' | 'full'

export interface KeyRequest extends EntryKey {
  readonly timeoutMs: number
}

export interface StampRequest {
  /** How long the entry that is about to be stamped will be kept, in ms: no tag is forgotten sooner. */
  readonly keepMs: number
  readonly timeoutMs: number
}

export interface TagsRequest {
  readonly tags: readonly string[]
  readonly timeoutMs: number
}

/** Told to every process: the lease of the key with this `Store.wakeId` has ended, however it ended, and someone waits for it. */
export type WakeListener = (wakeId: string) => void

export interface StoreListeners {
  readonly onWake: WakeListener
  /** The bus that carries wake-ups went down or came back. While it is down waiters poll. */
  readonly onBus: (live: boolean) => void
  /** The store became usable or stopped being so. */
  readonly onReady: (ready: boolean) => void
  /** The breaker of one of the store's servers changed its state. */
  readonly onBreaker?: (change: BreakerChange) => void
  /** Another server answers from now on, or the same with other data: what was acknowledged lately may be lost. Called before any of its replies is heard. */
  readonly onServerChange?: () => void
}

export type BreakerChange = Omit<BreakerRecord, 'at'>

/** What stands at one key of many, or why that is not known. */
export type StoredBytes = Buffer | null | StoreError

/**
 * Where entries and leases live. Every method but `now`, `notAfter` and `close` is one atomic step in the store.
 * A method that fails rejects with a `StoreError`, which says whether the outcome is known.
 */
export interface Store {
  /** Resolves once `now(key)` is known. Rejects with a `StoreError` if that takes longer. */
  ready(key: EntryKey, timeoutMs: number): Promise<void>
  /** Server time in ms for the node that owns `key`: never behind, ahead by at most one round trip. NaN while it is not known. */
  now(key: EntryKey): number
  /** The `notAfter` of a command sent now and given up `timeoutMs` later. Never later than the moment of giving up. */
  notAfter(key: EntryKey, timeoutMs: number): number
  /** The name that wake-ups give the key. Pure. */
  wakeId(key: EntryKey): string
  /** The entry's bytes. Reads of one tick travel together; callers share a read only if they asked before it left. */
  read(key: EntryKey, timeoutMs: number): Promise<Buffer | null>
  /**
   * The entries of many keys, in their order, in as few commands as the store can; sent before this returns, and shared with nobody. A key that
   * failed alone has its error in its place. A store without this method is read key by key.
   */
  readMany?(keys: readonly EntryKey[], timeoutMs: number): Promise<readonly StoredBytes[]>
  /**
   * The namespace record, 24 bytes, null when there is none. It comes with every read: right after one was answered it is as the store had it when it executed
   * that read, or later. It belongs to whoever looks at it; nobody changes it.
   */
  readonly namespaceRecord: Buffer | null
  /** The namespace record by a command that is sent now. One that is missing is made, with an epoch of its own: everything stored before is invalid. */
  stamp(request: StampRequest): Promise<Buffer>
  /**
   * The newest sequence of any of the tags, and of the tags that the store has forgotten. Infinity when it has lost its table of tags. An entry with one of these tags
   * is valid if its stamp is not older.
   */
  newestTag(request: TagsRequest): Promise<number>
  /** Invalidates tags: raises the record's sequence, and the tags' to the same. Works on a full store. May be repeated. */
  bumpTags(request: TagsRequest): Promise<void>
  /** Invalidates the whole namespace: raises the record's generation. Takes no longer for a full one. Works on a full store. May be repeated. */
  clear(timeoutMs: number): Promise<void>
  acquire(request: AcquireRequest): Promise<AcquireReply>
  /** Extends a lease. False: definitely not ours any more. */
  renew(request: RenewRequest): Promise<boolean>
  commit(request: CommitRequest): Promise<CommitReply>
  /** Ends a load that stores nothing. Says whether the token still held. */
  release(request: ReleaseRequest): Promise<boolean>
  /** Stores a value the application computed: revokes any lease, clears markers, wakes waiters. */
  put(request: PutRequest): Promise<PutReply>
  /** Deletes: revokes any lease, clears markers, removes the value, neighbouring versions included, wakes waiters. */
  remove(request: KeyRequest): Promise<void>
  /** Revokes any lease and marks the value stale in place; its lifetime stays. False when there was none. */
  expire(request: KeyRequest): Promise<boolean>
  /** Sends a pulse to everyone who listens to changes, unless somebody has just done so. */
  pulse?(timeoutMs: number): Promise<void>
  close(): Promise<void>
}

/** A change in the namespace, in the order in which the store made them. Numbers go up by one from change to change. */
export type Change =
  /** Another value stands at the key with this `Store.wakeId`, or none: then there is no token. */
  | { readonly kind: 'key'; readonly sequence: number; readonly wakeId: string; readonly token: Token | undefined }
  | { readonly kind: 'tags'; readonly sequence: number; readonly tags: readonly string[] }
  /** Everything that was stored before is invalid. */
  | { readonly kind: 'clear'; readonly sequence: number }
  /** No change, but proof that changes are heard: the number of the newest one, and the server time in ms when it was sent. */
  | { readonly kind: 'pulse'; readonly sequence: number; readonly sentAt: number }

/** How one who keeps copies of values hears of changes. */
export interface ChangeListeners {
  readonly onChange: (change: Change) => void
  /** The bus that carries changes came up or went down. What was told while it was down is lost. */
  readonly onLive: (live: boolean) => void
}

export interface StoreContext {
  readonly namespace: string
  /** Left out: nobody here keeps copies. A store that cannot tell of changes throws `INVALID_OPTION`. */
  readonly changes?: ChangeListeners | undefined
  readonly clock: Clock
  readonly random: Random
  readonly listeners: StoreListeners
  readonly maxKeyBytes: number
}

/** What `createCache({ store })` takes. One provider may serve several caches. */
export interface StoreProvider {
  /** Names the kind of store in events: `'redis'`, `'memory'`. */
  readonly kind: string
  open(context: StoreContext): Store
}

declare const timer: unique symbol
export interface Timer {
  readonly [timer]: never
}

/** Monotonic time and timers. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** The same, read at most once in a turn of the event loop or a thousand looks: for what looks at every hit. Left out: `now`. */
  turnNow?(): number
  /** Wall-clock milliseconds since 1970. Only the embedded store, which is its own server, decides anything by it. */
  wallNow(): number
  setTimeout(callback: () => void, delayMs: number): Timer
  clearTimeout(timer: Timer): void
  /** Lets the process exit while the timer is pending: for upkeep that no caller waits on. */
  unref(timer: Timer): void
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  token(): Token
}

/** What an entry is invalidated by. */
export interface EntryTags {
  /** The namespace record from before the load; undefined for an entry that is not stored. */
  readonly stamp: Buffer | undefined
  readonly names: readonly string[]
}

/** An entry whose header and checksum have been verified. The payload is decoded when asked for. */
export interface Entry {
  readonly bytes: Buffer
  readonly token: Token
  /** Server times in ms. */
  readonly createdAt: number
  readonly freshUntil: number
  readonly hardUntil: number
  /** How long the load took, in ms: XFetch's Δ. */
  readonly loadMs: number
  /** Marked stale in place by `expire`. */
  readonly expired: boolean
  readonly tags: readonly string[]
  /** The newest tag sequence from before its load. */
  readonly stampSequence: number
  /** What a namespace record says of it. `tagsMatter`: its reader names tags too. */
  standing(record: Buffer | null, tagsMatter: boolean): Standing
  /** The decoded value: a new copy each time under `'copy'`, one frozen value under `'freeze'`. Throws when the payload cannot be decoded. */
  value(): unknown
  /** What it takes to answer with the value later, without the bytes that were read. */
  keep(): KeptValue
}

/** A value that is kept in memory. */
export interface KeptValue {
  /** As {@link Entry.value}. */
  value(): unknown
  /** What it takes in memory by estimate, in bytes. */
  readonly bytes: number
}

export interface EntryTimes {
  readonly createdAt: number
  readonly freshUntil: number
  readonly hardUntil: number
  readonly loadMs: number
}

/** Why bytes were not an entry. */
export type UnreadableReason = 'foreign' | 'wire-version' | 'truncated' | 'checksum' | 'unknown-codec' | 'payload'

export interface Unreadable {
  readonly unreadable: UnreadableReason
  /** Whatever stands where the token would be, so that `acquire` does not offer the same bytes again. */
  readonly token: Token | undefined
}

export interface EntryCodec {
  /** Larger entries are written by `encode` but must not be stored. */
  readonly maxValueBytes: number
  /** Without `tags` the entry has neither a stamp nor tags, and cannot be valid once it is stored. @throws LeaseholdError `UNSERIALIZABLE_VALUE` */
  encode(key: EntryKey, value: unknown, times: EntryTimes, token: Token, tags?: EntryTags): Buffer
  /** The same payload under a new header. */
  reseal(key: EntryKey, entry: Entry, times: EntryTimes, token: Token, tags?: EntryTags): Buffer
  /** Stamps an entry, just encoded, in place. */
  stamp(key: EntryKey, bytes: Buffer, stamp: Buffer): void
  open(key: EntryKey, bytes: Buffer): Entry | Unreadable
  /** Under `'freeze'`: freezes what was made of a decoded value, so that it can be shared. False when that cannot be done. */
  readonly freeze: ((value: unknown) => boolean) | undefined
  /** How long the payload of an entry it has written was before compression. */
  payloadBytes(bytes: Buffer): number
}
