import { awaitStore } from './await-store.ts'
import type { BatchAnswers } from './calls/batch-answers.ts'
import { Call } from './calls/call.ts'
import { hasFreshEntry, readCachedEntry, type CachedEntry } from './calls/cached-entry.ts'
import { statusOf, type CacheStatus } from './cache-status.ts'
import { undecodable, type Engine } from './engine.ts'
import { describeValue } from './describe-value.ts'
import { LeaseholdError } from './errors.ts'
import type { CacheEventListener } from './event-emitter.ts'
import type { CacheEventName } from './events.ts'
import { HitCounter, type HitCounts, type HitSampler } from './hit-counts.ts'
import { getOrSetMany, readMany } from './calls/get-many.ts'
import { getOrSet } from './calls/get-or-set.ts'
import { LoadBatch, type LoadMany } from './flights/load-batch.ts'
import type { Loader } from './flights/loader-context.ts'
import type { KeyParams } from './keys/key-builder.ts'
import { answerWithCopy, copiedValue, copyForCall } from './local/answer-with-copy.ts'
import { checkKey, checkKeys } from './keys/check-key.ts'
import { checkNames, checkObject } from './options/check-option.ts'
import { keyOptionNames, setOptionNames } from './options/option-table.ts'
import { parseDuration } from './options/duration.ts'
import type { Duration, CallOptions, KeyOptions, Policy, SetOptions } from './options/options.ts'
import type { WriteOutcome } from './outage/defer.ts'
import type { EntryKey } from './ports.ts'
import { resolveCallOptions } from './options/resolve-options.ts'
import { invalidOption } from './options/invalid-option.ts'
import type { ResourceDefinition } from './resources/definition.ts'
import { resolveDefinition, type AnyDefinition } from './resources/resolve-definition.ts'
import { Resource } from './resources/resource.ts'
import { shutDown } from './shut-down.ts'
import type { Tracer } from './tracer.ts'
import { checkedPairs, setMany } from './calls/set-many.ts'
import { deleteOptionNames, type DeleteOptions } from './calls/replica-options.ts'
import { deleteKeys, expireKey, setValue } from './calls/writes.ts'
import { clearNamespace, invalidateTags } from './calls/broad-invalidations.ts'
import { checkTag } from './tags/check-tags.ts'

const readyWithinMs = 2_000
const readyBounds = { min: 1, max: 60_000 }

/** A cache over one namespace of a store. Made by `createCache`. */
export class Cache {
  readonly #engine: Engine
  readonly #resources = new Set<string>()
  readonly #open: (name: string) => Cache
  readonly #namespaces = new Map<string, Cache>()
  #closed: Promise<void> | undefined

  /**
   * @internal
   * @param open Opens a cache over the sub-namespace of that name.
   */
  constructor(engine: Engine, open: (name: string) => Cache) {
    this.#engine = engine
    this.#open = open
  }

  /**
   * The stored value, or the loader's, computed once however many callers and processes ask together.
   *
   * @throws whatever the loader throws, unless a stale value may stand in (`staleIfError`)
   * @throws LeaseholdError `LOAD_TIMEOUT`, `LOAD_COOLING`, `LOADER_RECURSION`, `UNSERIALIZABLE_VALUE`, `INVALID_KEY`, `INVALID_LOADER`,
   *   `INVALID_OPTION`, `UNKNOWN_OPTION`, `CACHE_CLOSED`
   */
  getOrSet<Value>(key: string, loader: Loader<Value>, options?: CallOptions): Promise<Value> {
    const { local } = this.#engine
    if (local !== undefined) {
      const copy = copyForCall(this.#engine, local, key, options, options?.version, options?.tags)
      if (copy !== undefined) {
        const value = copiedValue(this.#engine, key, copy)
        if (value !== undecodable) return answerWithCopy(this.#engine, key, copy, value) as Promise<Value>
      }
    }
    try {
      const policy = this.#begin(key, options)
      if (typeof loader !== 'function') {
        throw new LeaseholdError(
          'INVALID_LOADER',
          `the loader of ${describeValue(key)} must be a function, not ${typeof loader}`,
          { key },
        )
      }
      return getOrSet(this.#engine, new Call(this.#engine, key, loader, policy)) as Promise<Value>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * {@link getOrSet} for any number of keys: those that are not stored are loaded together. A key that fails does not fail the others.
   *
   * @param keys May name a key twice.
   * @param loadMany Is given the keys that nobody else loads, and returns a value, or an `Error`, for each.
   * @returns The values in the order of the keys.
   * @throws BatchError `BATCH_FAILED` with what became of each key
   * @throws LeaseholdError as {@link getOrSet} does, where no key is at fault alone
   */
  async getOrSetMany<Value>(keys: readonly string[], loadMany: LoadMany<Value>, options?: CallOptions): Promise<Value[]> {
    return this.#answerMany(keys, loadMany, options, answers => answers.values(options?.signal) as Value[])
  }

  /** {@link getOrSetMany} that tells what became of each key instead of throwing `BATCH_FAILED`, in the order of the keys. */
  async getOrSetManySettled<Value>(
    keys: readonly string[],
    loadMany: LoadMany<Value>,
    options?: CallOptions,
  ): Promise<PromiseSettledResult<Value>[]> {
    return this.#answerMany(keys, loadMany, options, answers => answers.results() as PromiseSettledResult<Value>[])
  }

  /** The stored values that are fresh, in the order of the keys, and `undefined` for the others. Loads nothing; a store that fails looks empty. */
  async getMany<Value = unknown>(keys: readonly string[], options?: KeyOptions): Promise<(Value | undefined)[]> {
    const policy = this.#beginMany(keys, options, keyOptionNames)
    return readMany(this.#engine, keys, policy) as Promise<(Value | undefined)[]>
  }

  /**
   * Stores many values, each as {@link set} does. A key that is given twice gets its last value.
   *
   * @param entries Pairs of key and value, such as a `Map`.
   * @returns `'deferred'` when that is so for one of them at least
   * @throws LeaseholdError `INVALID_KEY`, `INVALID_OPTION`: then nothing is stored
   * @throws BatchError `BATCH_FAILED`: the keys in its `errors` may still hold what they held; the others are stored
   */
  async setMany(entries: Iterable<readonly [string, unknown]>, options?: SetOptions): Promise<WriteOutcome> {
    const values = new Map(checkedPairs(entries))
    const policy = this.#beginMany([...values.keys()], options, setOptionNames)
    return setMany(this.#engine, values, () => policy)
  }

  /**
   * Defines a kind of thing once: its key, how it is loaded, how long it is kept. Types flow from the functions.
   *
   * @param name One to four words joined by `:`, such as `catalog:user`, with which its keys begin. Once per cache.
   * @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION`, `INVALID_KEY` for a name that is none
   */
  define<Params, Loaded, Fields extends KeyParams<Fields> & object, Value = Loaded>(
    name: string,
    definition: ResourceDefinition<Params, Loaded, Value, Fields>,
  ): Resource<Params, Value, Loaded> {
    if (this.#closed !== undefined) throw new LeaseholdError('CACHE_CLOSED', 'this cache was closed')
    if (this.#resources.has(name)) throw invalidOption('name', name, 'a name that this cache has not defined yet')
    const resolved = resolveDefinition(this.#engine.options.policy, name, definition as unknown as AnyDefinition)
    const resource = new Resource<Params, Value, Loaded>(this.#engine, name, resolved)
    this.#resources.add(name)
    return resource
  }

  /** The stored value if it is fresh, else `undefined`. Loads nothing; a store that fails looks empty. */
  async get<Value = unknown>(key: string, options?: KeyOptions): Promise<Value | undefined> {
    const entry = await readCachedEntry(this.#engine, this.#keyOf(key, options), 'get')
    return entry?.fresh === true ? (entry.value as Value) : undefined
  }

  /**
   * The value in memory, at once and without asking anyone: what `getOrSet` would answer from the local tier. `undefined` if there is none.
   *
   * @throws LeaseholdError `INVALID_KEY`, `INVALID_OPTION`, `UNKNOWN_OPTION`, `CACHE_CLOSED`
   */
  peek<Value = unknown>(key: string, options?: KeyOptions): Value | undefined {
    const { local } = this.#engine
    const { version } = this.#begin(key, options, keyOptionNames)
    const copy = local === undefined ? undefined : copyForCall(this.#engine, local, key, undefined, version)
    if (copy === undefined) return undefined
    const value = copiedValue(this.#engine, key, copy)
    return value === undecodable ? undefined : (value as Value)
  }

  /** The stored value, fresh or stale, with its age, freshness and remaining time. */
  async getEntry<Value = unknown>(key: string, options?: KeyOptions): Promise<CachedEntry<Value> | undefined> {
    return readCachedEntry(this.#engine, this.#keyOf(key, options), 'getEntry') as Promise<CachedEntry<Value> | undefined>
  }

  /** Whether a fresh value is stored. A store that fails looks empty. */
  async has(key: string, options?: KeyOptions): Promise<boolean> {
    return hasFreshEntry(this.#engine, this.#keyOf(key, options))
  }

  /**
   * Stores a value. It wins over every load that is running, here and in other processes.
   *
   * @returns `'applied'`, or `'deferred'` when the store did not answer: then the value holds in this process for a while, and what the store held is
   *   removed as soon as it answers
   * @throws LeaseholdError `UNSERIALIZABLE_VALUE`, `VALUE_TOO_LARGE`, or a `STORE_…` code when the store refused
   */
  async set<Value>(key: string, value: Value, options?: SetOptions): Promise<WriteOutcome> {
    const policy = this.#begin(key, options, setOptionNames)
    return setValue(this.#engine, key, value, policy)
  }

  /**
   * Deletes one key or many. Once it resolves to `'applied'`, no load that began before is stored or answers a later call. `'deferred'`: the store did not
   * answer, for one of the keys at least. That holds for calls of this process at once, and for the others when the store has been told, which is
   * tried until it succeeds or the process ends.
   *
   * @param options `replicas`: how many replicas are to have it before it resolves to `'applied'`; `timeout`: for how long they are waited for.
   * @throws LeaseholdError with a `STORE_…` code when the store refused; with many keys the others are deleted all the same
   * @throws ReplicationError `NOT_REPLICATED` when it is done, but fewer replicas have confirmed it
   */
  async delete(keys: string | readonly string[], options: DeleteOptions = {}): Promise<WriteOutcome> {
    checkNames(checkObject('options', options, 'an object'), deleteOptionNames)
    const { replicas, timeout, ...keyOptions } = options
    const list: readonly string[] = Array.isArray(keys) ? keys : [keys]
    return deleteKeys(
      this.#engine,
      list.map(key => this.#keyOf(key, keyOptions)),
      { replicas, timeout },
    )
  }

  /**
   * Marks the value stale: the next call loads it anew, and until then the stale options may still serve it. Revokes loads that are running.
   *
   * @returns `'applied'`, whether or not something was stored, or `'deferred'` as {@link delete} does: until the store is told, this process takes the value
   *   for absent
   * @throws LeaseholdError with a `STORE_…` code when the store refused
   */
  async expire(key: string, options?: KeyOptions): Promise<WriteOutcome> {
    return expireKey(this.#engine, this.#keyOf(key, options))
  }

  /**
   * Invalidates every value that was stored with one of these tags, or is read by a call that names one, however many there are. Once it resolves, no load
   * that began before answers a later call.
   *
   * @param tags One tag or many, each of 1 to 255 bytes.
   * @returns `'deferred'` as {@link delete} does, for one of the tags at least
   * @throws LeaseholdError `INVALID_TAG`, `CACHE_CLOSED`, or a `STORE_…` code when the store refused
   */
  async invalidateTags(tags: string | readonly string[]): Promise<WriteOutcome> {
    this.#checkOpen()
    const given: unknown = typeof tags === 'string' ? [tags] : tags
    const list = Array.isArray(given) ? [...new Set(given.map(tag => checkTag(tag)))] : [checkTag(given)]
    return invalidateTags(this.#engine, list)
  }

  /**
   * Invalidates everything in this namespace, however much there is; its sub-namespaces stay. The store drops the values themselves as their time comes. Once it resolves,
   * no load that began before answers a later call.
   *
   * @returns `'deferred'` as {@link delete} does: until the store is told, nothing that it holds is answered in this process
   * @throws LeaseholdError `CACHE_CLOSED`, or a `STORE_…` code when the store refused
   */
  async clear(): Promise<WriteOutcome> {
    this.#checkOpen()
    return clearNamespace(this.#engine)
  }

  /**
   * A cache over the namespace `<this one>.<name>`, with the options and the connections of this one, and keys, tags and events of its own. Asked for
   * again it is the same one, until it is closed. Closing it leaves this one open; closing this one closes it.
   *
   * @param name Of the characters `A-Z a-z 0-9 _ . -`; together with this namespace at most 64.
   * @throws LeaseholdError `INVALID_OPTION`, `CACHE_CLOSED`
   */
  namespace(name: string): Cache {
    this.#checkOpen()
    const known = this.#namespaces.get(name)
    if (known !== undefined && known.#closed === undefined) return known
    const opened = this.#open(name)
    this.#namespaces.set(name, opened)
    return opened
  }

  /**
   * Resolves once the store can be used, which is found out by a read. For the start of a process: a cache answers without its store, so that a wrong
   * URL, password, database or TLS setting would not stop anything. Later on it tells whether the store can be used now.
   *
   * @param timeout How long to wait, 1 ms to 1 minute. Default 2 s. A refusal, as of a wrong password, ends the wait.
   * @throws LeaseholdError with a `STORE_…` code that says what is wrong, without any secret; `INVALID_OPTION`, `CACHE_CLOSED`
   */
  async ready(timeout: Duration = readyWithinMs): Promise<void> {
    if (this.#closed !== undefined) throw new LeaseholdError('CACHE_CLOSED', 'this cache was closed')
    await awaitStore(this.#engine, parseDuration(timeout, 'timeout', readyBounds))
  }

  /** Calls `listener` with a record of each such event. Nothing is built for events that nobody listens to. */
  on<Name extends CacheEventName>(event: Name, listener: CacheEventListener<Name>): this {
    this.#engine.events.on(event, listener)
    return this
  }

  off<Name extends CacheEventName>(event: Name, listener: CacheEventListener<Name>): this {
    this.#engine.events.off(event, listener)
    return this
  }

  /** The namespace that it is over. */
  get name(): string {
    return this.#engine.options.namespace
  }

  /** The names of the resources that it has defined so far. */
  get resources(): ReadonlySet<string> {
    return this.#resources
  }

  /** Its condition at this moment. Costs nothing to ask for. */
  status(): CacheStatus {
    return statusOf(this.#engine)
  }

  /**
   * Counts hits from the first time it is called on, at a small part of what a `hit` listener costs.
   *
   * @param sampler Told how long one hit in 32 took, in ms.
   * @returns The same live counts for everyone who asks.
   */
  countHits(sampler?: HitSampler): HitCounts {
    const counter = (this.#engine.hitCounter ??= new HitCounter())
    if (sampler !== undefined) counter.sample(sampler)
    return counter
  }

  /**
   * Runs operations and loads inside `tracer` from now on. One at a time; `undefined` takes it off.
   *
   * @throws LeaseholdError `INVALID_OPTION` if another one is there
   */
  trace(tracer: Tracer | undefined): void {
    if (tracer !== undefined && this.#engine.tracer !== undefined)
      throw new LeaseholdError('INVALID_OPTION', 'this cache has a tracer already', { option: 'tracer' })
    this.#engine.tracer = tracer
  }

  /**
   * Takes no more calls, lets writes and the loads that are running finish for up to `closeTimeout`, abandons the rest and releases their leases, and
   * closes the store's connections. Caches that `namespace` made of this one are closed with it. May be called more than once.
   */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  #answerMany<Result>(
    keys: readonly string[],
    loadMany: LoadMany<unknown>,
    options: CallOptions | undefined,
    conclude: (answers: BatchAnswers) => Result,
  ): Promise<Result> {
    const policy = this.#beginMany(keys, options)
    checkLoadMany(loadMany)
    return getOrSetMany(this.#engine, keys, policy, { batch: new LoadBatch(loadMany, this.#engine.tracer) }, conclude)
  }

  async #shutDown(): Promise<void> {
    await Promise.all([shutDown(this.#engine), ...[...this.#namespaces.values()].map(cache => cache.close())])
  }

  #checkOpen(key?: string): void {
    if (this.#closed !== undefined) throw new LeaseholdError('CACHE_CLOSED', 'this cache was closed', { key })
  }

  #beginMany(keys: readonly string[], options: CallOptions | undefined, allowed?: ReadonlySet<string>): Policy {
    this.#checkOpen()
    checkKeys(keys)
    const { policy } = this.#engine.options
    return options === undefined ? policy : resolveCallOptions(policy, options, allowed)
  }

  #begin(key: string, options: CallOptions | undefined, allowed?: ReadonlySet<string>): Policy {
    this.#checkOpen(key)
    checkKey(key)
    const { policy } = this.#engine.options
    return options === undefined ? policy : resolveCallOptions(policy, options, allowed)
  }

  #keyOf(key: string, options: KeyOptions | undefined): EntryKey {
    return { key, version: this.#begin(key, options, keyOptionNames).version }
  }
}

function checkLoadMany(loadMany: unknown): void {
  if (typeof loadMany === 'function') return
  throw new LeaseholdError('INVALID_LOADER', `loadMany must be a function, not ${typeof loadMany}`, { option: 'loadMany' })
}
