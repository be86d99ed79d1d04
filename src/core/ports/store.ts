import type { StoreError } from '../errors.ts'

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

export interface NewestTagRequest extends TagsRequest {
  /** Of the record that the entry is stamped with. What the store knows of tags under another epoch is no answer. */
  readonly epoch: Buffer
}

export interface ConfirmRequest extends EntryKey {
  /** How many replicas are to have it. */
  readonly replicas: number
  /** How long they are waited for, in ms. */
  readonly timeoutMs: number
}

/** Which replicas have what the store acknowledged before. */
export interface Confirmation {
  /** How many are known to have it. */
  readonly confirmed: number
  /** How many replicas there are; undefined when that was not asked, or could not be. */
  readonly attached: number | undefined
  /** Why nothing more is known of them. */
  readonly failure?: StoreError | undefined
}

/** What stands at one key of many, or why that is not known. */
export type StoredBytes = Buffer | null | StoreError

/**
 * Where entries and leases live. Every method but `now`, `notAfter` and `close` is one atomic step in the store.
 * A method that fails rejects with a `StoreError`, which says whether the outcome is known.
 */
export interface Store {
  /** Resolves once writes to `key` can be sent and `now(key)` is known. Rejects with a `StoreError` if that takes longer, or why it cannot be now. */
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
   * The first 76 bytes of what {@link read} would bring, as it would bring them: an entry's header without its tags. A store without this method is read
   * whole.
   */
  readHeader?(key: EntryKey, timeoutMs: number): Promise<Buffer | null>
  /**
   * How long ago the newest reply to a {@link read} came from the node that owns `key`, in ms. Callers that were answered earlier may have been at work since, which is not
   * the store's doing. Left out: 0.
   */
  sinceReplyMs?(key: EntryKey): number
  /**
   * The namespace record, 24 bytes, null when there is none. It comes with every read: right after one was answered it is as the store had it when it executed
   * that read, or later. It belongs to whoever looks at it; nobody changes it.
   */
  readonly namespaceRecord: Buffer | null
  /** The namespace record by a command that is sent now. One that is missing is made, with an epoch of its own: everything stored before is invalid. */
  stamp(request: StampRequest): Promise<Buffer>
  /**
   * The newest sequence of any of the tags, and of the tags that the store has forgotten. Infinity when it has lost its table of tags, or begun another with another
   * epoch. An entry with one of these tags is valid if its stamp is not older.
   */
  newestTag(request: NewestTagRequest): Promise<number>
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
  /**
   * Waits until so many replicas of the server that has the key have all that it acknowledged before. Never rejects. A store that has no replicas has not this
   * method.
   */
  confirm?(request: ConfirmRequest): Promise<Confirmation>
  /** Sends a pulse to everyone who listens to changes, unless somebody has just done so. */
  pulse?(timeoutMs: number): Promise<void>
  close(): Promise<void>
}
