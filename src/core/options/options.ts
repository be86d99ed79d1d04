import type { Clock, Random, StoreProvider } from '../ports.ts'
import type { ValueSchema } from '../resources/value-schema.ts'

/** Milliseconds, or a number with its unit: `'500ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** When a fresh value is loaded anew before it expires. */
export type RefreshOptions =
  | false
  | 'xfetch'
  /** XFetch (Vattani, Chierichetti, Lowenstein 2015). A larger `beta` refreshes earlier; 0 to 1000, default 1. */
  | { readonly strategy: 'xfetch'; readonly beta?: number }
  /** Within `window` of expiry (1 ms to 3650 days) each read offers a refresh with `probability` (0 to 1). */
  | { readonly strategy: 'window'; readonly window: Duration; readonly probability: number }

export interface TimeoutOptions {
  /** After this long a caller gets a stale value if there is one, while the load goes on. 1 ms to 1 day, at most `hard`. Default: none. */
  readonly soft?: Duration
  /** After this long a caller gets a stale value or `LOAD_TIMEOUT`, and the loader's signal aborts. 1 ms to 1 day, default 30 s. */
  readonly hard?: Duration
}

/** Values in this process, in front of the store. `docs/local-tier.md` says which mode to choose. */
export interface LocalOptions {
  /**
   * `'validate'`, with `values: 'freeze'`, remembers values, asks the store for each call whether they still stand, and for large ones no more than that.
   * `'trust'` answers from memory as long as the store proves that its changes are heard. Default `'off'`.
   */
  readonly mode: 'off' | 'validate' | 'trust'
  /** How many values are kept. 1 to 10 million, default 10000. */
  readonly maxEntries?: number
  /** What they may take in memory by estimate, in bytes. 1 KiB to 64 GiB, default 64 MiB. */
  readonly maxBytes?: number
  /** How long a copy is answered at most without asking the store, under `'trust'`. 1 ms to 1 day, default 1 minute. */
  readonly ttl?: Duration
}

/** How one key is loaded, kept and refreshed. Given to `createCache` as defaults, to a call for that call. */
export interface PolicyOptions {
  /** How long a value is fresh. 1 ms to 3650 days, default 5 minutes. */
  readonly ttl?: Duration
  /** Shortens each ttl by a random share up to this one, so that keys stored together do not expire together. 0 to 0.5, default 0.1. */
  readonly jitter?: number
  /** Default `'xfetch'`. */
  readonly refresh?: RefreshOptions
  /** How long past its ttl a value is still answered while it is refreshed behind. 0 to 3650 days, default 0. */
  readonly staleWhileRevalidate?: Duration
  /** How long past its ttl a value may stand in when the load fails. 0 to 3650 days, default 0. */
  readonly staleIfError?: Duration
  readonly timeout?: TimeoutOptions
  /** After a failed load nobody in the fleet loads the key for this long. 0 to 1 day, default 0, off. */
  readonly errorCooldown?: Duration
  /** How long a lease runs unless renewed; it is renewed every third of it. 100 ms to 1 minute, default 1 s. */
  readonly lease?: Duration
  /** Separates incompatible shapes of the same key: an integer from 0 to 65535. Default 0. */
  readonly version?: number
  /** What the value can be invalidated by, see `invalidateTags`: at most 64, each of 1 to 255 bytes. Those of the cache and of the call add up. Default: none. */
  readonly tags?: readonly string[]
}

export interface CallOptions extends PolicyOptions {
  /** Loads even if a fresh value is stored; the answer's load began after the call. Default false. */
  readonly forceFresh?: boolean
  /** Makes this caller leave when it aborts; the loader goes on for the others. */
  readonly signal?: AbortSignal
}

/** Options of `set`. */
export type SetOptions = Pick<PolicyOptions, 'ttl' | 'jitter' | 'staleWhileRevalidate' | 'staleIfError' | 'version' | 'tags'>

/** Options of calls that only name a key. */
export type KeyOptions = Pick<PolicyOptions, 'version'>

/** A serializer. `id` is stored in every entry: 128 to 255 for codecs of your own. */
export interface Serializer {
  readonly name: string
  readonly id: number
  /** @throws LeaseholdError `UNSERIALIZABLE_VALUE` for a value that would not come back the same. */
  serialize(value: unknown): Uint8Array
  deserialize(bytes: Buffer): unknown
}

/** A compression. `id` is stored in every entry: 128 to 255 for ones of your own. */
export interface Compression {
  readonly name: string
  readonly id: number
  compress(bytes: Buffer): Uint8Array
  /** Must refuse to produce more than `maxBytes`. */
  decompress(bytes: Buffer, maxBytes: number): Buffer
}

export interface CacheOptions extends PolicyOptions {
  /** One application's keys: 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly namespace: string
  /** Default: the embedded in-process store. */
  readonly store?: StoreProvider
  /** `'copy'` gives every caller its own value; `'freeze'` decodes once, freezes deeply and shares. Default `'copy'`. */
  readonly values?: 'copy' | 'freeze'
  /** `'msgpack'`, `'json'` or one of your own. Readers understand all built-in ones. Default `'msgpack'`. */
  readonly codec?: 'msgpack' | 'json' | Serializer
  /** `'deflate'`, `lz4()` of `leasehold/lz4`, or one of your own; false never compresses. Default `'deflate'`. */
  readonly compression?: 'deflate' | false | Compression
  /** Payloads of at least this many bytes are compressed. 0 to 512 MiB, default 16384. */
  readonly compressAbove?: number
  /** The largest entry in bytes, encoded. 128 bytes to 512 MiB, default 1 MiB. */
  readonly maxValueBytes?: number
  /** Keys longer than this in bytes are hashed. 64 to 4096, default 512. */
  readonly maxKeyBytes?: number
  /** How long one store command may take. 1 ms to 1 minute, default 100 ms, or the store budget if that is shorter. */
  readonly commandTimeout?: Duration
  /** How long one call may spend on the store in all, its waiting and loading apart. 1 ms to 10 minutes, default 250 ms, or the command timeout if that is longer. */
  readonly storeBudget?: Duration
  /** How long what was loaded while the store did not answer is kept and answered in this process. 0 to 1 hour, default 1 s. */
  readonly outageTtl?: Duration
  /** How many loads run at once in this process while the store does not answer. 1 to 100000, default 256. */
  readonly maxConcurrentLoads?: number
  /** How many refreshes run at once in this process. 1 to 10000, default 16. */
  readonly maxRefreshes?: number
  /** How long `close()` waits for loads before it abandons them. 0 to 1 hour, default 5 s. */
  readonly closeTimeout?: Duration
  /** The share of keys that go through the cache; the others go straight to their loader. 0 to 1, default 1. */
  readonly rollout?: number
  /** Asked at each call: false sends every key straight to its loader. */
  readonly enabled?: () => boolean
  /** The share of answers from the store that are loaded once more, behind the caller, and compared. 0 to 1, default 0. */
  readonly shadow?: number
  readonly local?: LocalOptions
  /** Time and randomness, for tests. */
  readonly clock?: Clock
  readonly random?: Random
}

export type RefreshPolicy =
  | { readonly strategy: 'off' }
  | { readonly strategy: 'xfetch'; readonly beta: number }
  | { readonly strategy: 'window'; readonly windowMs: number; readonly probability: number }

/** {@link PolicyOptions}, checked and merged. */
export interface Policy {
  readonly ttlMs: number
  readonly jitter: number
  readonly refresh: RefreshPolicy
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
  readonly softTimeoutMs: number | undefined
  readonly hardTimeoutMs: number
  readonly errorCooldownMs: number
  readonly leaseMs: number
  readonly version: number
  readonly tags: readonly string[]
  readonly forceFresh: boolean
  readonly signal: AbortSignal | undefined
  /** Only of resources. */
  readonly schema: ValueSchema | undefined
  /** The name of the resource, if it is one's. */
  readonly resource: string | undefined
}

/** {@link LocalOptions}, checked. */
export interface LocalPolicy {
  readonly mode: 'off' | 'validate' | 'trust'
  readonly maxEntries: number
  readonly maxBytes: number
  readonly ttlMs: number
}

/** {@link CacheOptions}, checked: what the engine itself needs of them. */
export interface EngineOptions {
  readonly namespace: string
  readonly policy: Policy
  readonly commandTimeoutMs: number
  readonly storeBudgetMs: number
  readonly outageTtlMs: number
  readonly maxConcurrentLoads: number
  readonly rollout: number
  readonly enabled: (() => boolean) | undefined
  readonly shadow: number
  readonly maxRefreshes: number
  readonly maxKeyBytes: number
  readonly closeTimeoutMs: number
  readonly local: LocalPolicy
}

/** {@link CacheOptions}, checked: what the entry codec needs of them. */
export interface EntryCodecOptions {
  readonly namespace: string
  readonly values: 'copy' | 'freeze'
  readonly codec: 'msgpack' | 'json' | Serializer
  readonly compression: 'deflate' | false | Compression
  readonly compressAbove: number
  readonly maxValueBytes: number
  /** How much may be remembered of frozen values. Default: 32 MiB of payloads. */
  readonly remembered?: ValueMemoryBounds | undefined
  /** Whether a value that is remembered stands in for all of its entry but the header: `local.mode: 'validate'`. */
  readonly headersAlone?: boolean
}

export interface ValueMemoryBounds {
  readonly maxEntries: number
  /** By estimate, keys and book-keeping included. */
  readonly maxBytes: number
}
