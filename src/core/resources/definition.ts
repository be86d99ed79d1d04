import type { LoadedMany, LoadManyContext } from '../flights/load-batch.ts'
import type { LoaderContext } from '../flights/loader-context.ts'
import type { CallOptions, Duration, PolicyOptions, SetOptions } from '../options/options.ts'
import type { StandardSchema } from './standard-schema.ts'

/** What `cache.define` is told of a resource. `Params` names one of its things, `Loaded` is what the loaders return, `Value` what callers get. */
export interface ResourceDefinition<Params, Loaded, Value, Fields extends object> extends Omit<PolicyOptions, 'ttl' | 'tags'> {
  /** The parameters of a thing's key, as `defineKey` takes them: a plain object. Equal ones give the same key. */
  readonly key: (params: Params) => Fields
  /** The keys belong to a tenant: `key` returns a `tenant`, which is demanded and comes first. Default false. */
  readonly tenant?: boolean
  /** Loads one thing. `undefined` stores nothing. */
  readonly load?: (params: Params, context: LoaderContext) => Loaded | Promise<Loaded>
  /** Loads many: a value, or an `Error`, for each, in their order. Without `load` it loads single ones too. */
  readonly loadMany?: (params: readonly Params[], context: LoadManyContext) => LoadedMany<Loaded> | Promise<LoadedMany<Loaded>>
  /** Single `get`s of one event-loop tick share one `loadMany`. Default false. */
  readonly batch?: boolean
  /** What the values are like: any Standard Schema validator that answers at once. What it makes of a stored value is what callers get. */
  readonly schema?: StandardSchema<Loaded, Value>
  /**
   * Brings a value of the version before forward, so that it need not be loaded. `undefined`: it cannot be.
   *
   * @param old As its own version stored it; not checked by anything.
   */
  readonly upgrade?: (old: unknown, fromVersion: number) => Loaded | undefined
  /** How long a value is fresh, the same for all or from the value itself. 1 ms to 3650 days. */
  readonly ttl?: Duration | ((value: Loaded, params: Params) => Duration)
  /**
   * What a value can be invalidated by, the same for all or from the value itself: at most 64, each of 1 to 255 bytes. They add to those of the cache and of the call.
   * Default: none.
   */
  readonly tags?: readonly string[] | ((params: Params, value: Loaded) => readonly string[])
  /** How long `null` is fresh. 1 ms to 3650 days. Default: like other values. */
  readonly nullTtl?: Duration
  /** Whether a loaded value is stored. What is not stored is answered all the same. Default: every value is. */
  readonly shouldCache?: (value: Loaded, params: Params) => boolean
  /** How many loads of this resource run at once in this process; a `loadMany` counts as one. 1 to 100000. Default: any number. */
  readonly maxConcurrentLoads?: number
  /** How many loads may wait for their turn. 0 to 1000000, default 10000. */
  readonly maxQueuedLoads?: number
}

/** Options of a resource's calls: those of the cache's calls, but the version is the resource's own. */
export type ResourceCallOptions = Omit<CallOptions, 'version'>
/** Options of a resource's `set`. */
export type ResourceSetOptions = Omit<SetOptions, 'version'>
