import type { BatchAnswers } from '../calls/batch-answers.ts'
import { Call } from '../calls/call.ts'
import { getOrSetMany } from '../calls/get-many.ts'
import { getOrSet } from '../calls/get-or-set.ts'
import { checkedPairs, setMany } from '../calls/set-many.ts'
import { replicaOptionNames, type ReplicaOptions } from '../calls/replica-options.ts'
import { deleteKeys, expireKey, setValue } from '../calls/writes.ts'
import { checkNames, checkObject } from '../options/check-option.ts'
import { undecodable, type Engine } from '../engine.ts'
import { forKey, LeaseholdError } from '../errors.ts'
import type { LoadBatch } from '../flights/load-batch.ts'
import type { Loader } from '../flights/loader-context.ts'
import { defineKey } from '../keys/key-builder.ts'
import { answerWithCopy, copiedValue, copyForCall } from '../local/answer-with-copy.ts'
import type { LocalCopy } from '../local/local-tier.ts'
import { invalidOption } from '../options/invalid-option.ts'
import { callOptionNames, setOptionNames } from '../options/option-table.ts'
import type { Policy } from '../options/options.ts'
import { addTags, resolveCallOptions } from '../options/resolve-policy.ts'
import type { WriteOutcome } from '../outage/defer.ts'
import type { EntryKey } from '../ports.ts'
import type { ResourceCallOptions, ResourceSetOptions } from './definition.ts'
import { ResourceLoading, type LoadTerms } from './resource-loading.ts'
import type { ResolvedDefinition } from './resolve-definition.ts'
import { TickBatch } from './tick-batch.ts'
import { ttlFor } from './value-policy.ts'
import { warm } from './warm.ts'
import type { WarmOptions, WarmReport } from './warm-options.ts'

const resourceCallNames: ReadonlySet<string> = new Set([...callOptionNames].filter(name => name !== 'version'))
const resourceSetNames: ReadonlySet<string> = new Set([...setOptionNames].filter(name => name !== 'version'))

/**
 * A kind of thing that the cache reads through to its source. Made by `cache.define`. `Loaded` is what its loaders return and `set` takes, `Value` what callers
 * get: the same, unless a schema makes one of the other.
 */
export class Resource<Params, Value, Loaded = Value> {
  readonly name: string
  readonly #engine: Engine
  readonly #definition: ResolvedDefinition
  readonly #loading: ResourceLoading
  readonly #buildKey: (params: object) => string
  readonly #tick: TickBatch | undefined

  /** @internal */
  constructor(engine: Engine, name: string, definition: ResolvedDefinition) {
    this.name = name
    this.#engine = engine
    this.#definition = definition
    this.#loading = new ResourceLoading(engine, definition)
    this.#buildKey = (definition.tenant ? defineKey(name, { tenant: true }) : defineKey(name)) as (params: object) => string
    this.#tick = definition.batch ? new TickBatch(this.#loading) : undefined
  }

  /**
   * The key of a thing, as events and errors name it, and as the cache's own calls take it together with the resource's version.
   *
   * @throws LeaseholdError `INVALID_KEY`
   */
  keyOf(params: Params): string {
    return this.#buildKey(this.#definition.key(params))
  }

  /**
   * The stored value, or a loaded one, loaded once in the whole fleet.
   *
   * @throws whatever the loader throws, and all that `cache.getOrSet` does
   * @throws LeaseholdError `SCHEMA_MISMATCH`, `OVERLOADED`
   */
  get(params: Params, options?: ResourceCallOptions): Promise<Value> {
    try {
      const key = this.keyOf(params)
      const copied = this.#answerWithCopy(key, options)
      if (copied !== undefined) return copied as Promise<Value>
      const policy = this.#begin(options, resourceCallNames)
      const call = this.#callFor(key, params, policy, termsOf(policy, options))
      return getOrSet(this.#engine, call) as Promise<Value>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The values of many, in their order: one read, and one `loadMany` of those that are missing and that nobody else loads.
   *
   * @throws BatchError `BATCH_FAILED` with what became of each
   * @throws LeaseholdError `INVALID_KEY` if one has no key; `INVALID_OPTION`
   */
  async getMany(params: readonly Params[], options?: ResourceCallOptions): Promise<Value[]> {
    return this.#answerMany(params, options, answers => answers.values(options?.signal) as Value[])
  }

  /** {@link getMany} that tells what became of each, of one that has no key too, instead of throwing `BATCH_FAILED` or `INVALID_KEY`. */
  async getManySettled(params: readonly Params[], options?: ResourceCallOptions): Promise<PromiseSettledResult<Value>[]> {
    checkList(params)
    const refusals = new Map<number, PromiseRejectedResult>()
    const keyed = params.filter((each, place) => {
      try {
        return this.keyOf(each) !== ''
      } catch (reason) {
        refusals.set(place, { status: 'rejected', reason })
        return false
      }
    })
    const results = (await this.#answerMany(keyed, options, answers => answers.results())).values()
    const settled = params.map((_, place) => refusals.get(place) ?? results.next().value)
    return settled as PromiseSettledResult<Value>[]
  }

  /** The value in memory, at once and without asking anyone: what `get` would answer from the local tier. `undefined` if there is none. */
  peek(params: Params): Value | undefined {
    return this.#copied(this.keyOf(params))?.value as Value | undefined
  }

  /** Loads anew, stores and returns the value. Calls of all processes that come before such a load began share it. */
  async refresh(params: Params, options?: Omit<ResourceCallOptions, 'forceFresh'>): Promise<Value> {
    return this.get(params, { ...options, forceFresh: true })
  }

  /**
   * Stores a value. It wins over every load that is running. Resolves to `'applied'` or `'deferred'` as `cache.set` does.
   *
   * @throws LeaseholdError `SCHEMA_MISMATCH`, and all that `cache.set` does
   */
  async set(params: Params, value: Loaded, options?: ResourceSetOptions): Promise<WriteOutcome> {
    const policy = this.#begin(options, resourceSetNames)
    const key = this.keyOf(params)
    return setValue(this.#engine, key, value, this.#setPolicy(policy, key, value, params, options))
  }

  /**
   * Stores many values, each as {@link set} does; the last one given of each thing.
   *
   * @throws BatchError `BATCH_FAILED`: those in its `errors` may still hold what they held; the others are stored
   */
  async setMany(entries: Iterable<readonly [Params, Loaded]>, options?: ResourceSetOptions): Promise<WriteOutcome> {
    const policy = this.#begin(options, resourceSetNames)
    const values = new Map<string, Loaded>()
    const paramsOf = new Map<string, Params>()
    for (const [params, value] of checkedPairs(entries)) {
      const key = this.keyOf(params)
      values.set(key, value)
      paramsOf.set(key, params)
    }
    return setMany(this.#engine, values, key => this.#setPolicy(policy, key, values.get(key), paramsOf.get(key), options))
  }

  /** Deletes a value. Once it resolves to `'applied'`, no load that began before is stored or answers a later call. `'deferred'`, `replicas`: as `cache.delete` says. */
  async delete(params: Params, options?: ReplicaOptions): Promise<WriteOutcome> {
    return this.deleteMany([params], options)
  }

  /** {@link delete} of many. If the store could not be told of some, the others are deleted all the same. */
  async deleteMany(params: readonly Params[], options: ReplicaOptions = {}): Promise<WriteOutcome> {
    checkNames(checkObject('options', options, 'an object'), replicaOptionNames)
    checkList(params)
    return deleteKeys(
      this.#engine,
      params.map(each => this.#entryKey(each)),
      options,
    )
  }

  /** Marks a value stale: the next call loads it anew. Resolves to `'applied'` or `'deferred'` as `cache.expire` does. */
  async expire(params: Params): Promise<WriteOutcome> {
    return expireKey(this.#engine, this.#entryKey(params))
  }

  /**
   * Loads and stores what is not there fresh, behind the callers: with leases of its own, never waiting for one, after all loads that callers wait for.
   *
   * @throws StoreError when the store cannot be read; the signal's reason; what the source throws. `onProgress` has told how far it came.
   */
  async warm(source: Iterable<Params> | AsyncIterable<Params>, options: WarmOptions<Params> = {}): Promise<WarmReport> {
    const policy = this.#begin(undefined, resourceCallNames)
    return warm<Params>({
      engine: this.#engine,
      loading: this.#loading,
      policy,
      keyOf: params => this.keyOf(params),
      source,
      options,
    })
  }

  #answerWithCopy(key: string, options: ResourceCallOptions | undefined): Promise<unknown> | undefined {
    const copied = this.#copied(key, options)
    return copied === undefined ? undefined : answerWithCopy(this.#engine, key, copied.copy, copied.value, this.name)
  }

  /** The copy that may answer a call for the key, and what callers get for it. */
  #copied(key: string, options?: ResourceCallOptions): { readonly copy: LocalCopy; readonly value: unknown } | undefined {
    const { local } = this.#engine
    // One that names a version is wrong, and is told so.
    if (local === undefined || (options !== undefined && 'version' in options)) return undefined
    const { version, tags, schema } = this.#definition.policy
    const named = options?.tags === undefined ? tags : tags.concat(options.tags)
    const copy = copyForCall(this.#engine, local, key, options, version, named)
    const value = copy === undefined ? undecodable : copiedValue(this.#engine, key, copy, schema)
    return copy === undefined || value === undecodable ? undefined : { copy, value }
  }

  #callFor(key: string, params: unknown, policy: Policy, terms: LoadTerms): Call {
    const engine = this.#engine
    // A forced call, and one with terms of its own, shares no load.
    if (this.#tick !== undefined && terms.mayUpgrade && !terms.ttlGiven) return this.#tick.call(engine, key, params, policy)
    const loader = this.#loading.single(params, terms)
    if (loader !== undefined) return new Call(engine, key, loader, policy)
    const batch = this.#loading.many(new Map([[key, params]]), terms) as LoadBatch
    return new Call(engine, key, batch.loader, policy, batch)
  }

  #answerMany<Result>(
    params: readonly Params[],
    options: ResourceCallOptions | undefined,
    conclude: (answers: BatchAnswers) => Result,
  ): Promise<Result> {
    const policy = this.#begin(options, resourceCallNames)
    checkList(params)
    const terms = termsOf(policy, options)
    const keys = params.map(each => this.keyOf(each))
    const paramsOf = new Map(keys.map((key, place) => [key, params[place]]))
    const batch = this.#loading.many(paramsOf, terms)
    const loaderOf = (key: string): Loader<unknown> => this.#loading.single(paramsOf.get(key), terms) as Loader<unknown>
    return getOrSetMany(this.#engine, keys, policy, batch === undefined ? { loaderOf } : { batch }, conclude)
  }

  #setPolicy(policy: Policy, key: string, value: unknown, params: unknown, options: ResourceSetOptions | undefined): Policy {
    const ttlMs = options?.ttl === undefined ? ttlFor(this.#definition, key, value, params) : undefined
    const own = this.#definition.tagsOf?.(key, params, value)
    if (ttlMs === undefined && own === undefined) return policy
    const tags = own === undefined ? policy.tags : forKey(key, () => addTags(policy.tags, own))
    return { ...policy, ttlMs: ttlMs ?? policy.ttlMs, tags }
  }

  #entryKey(params: Params): EntryKey {
    return { key: this.keyOf(params), version: this.#begin(undefined, resourceCallNames).version }
  }

  #begin(options: ResourceCallOptions | undefined, allowed: ReadonlySet<string>): Policy {
    if (this.#engine.phase !== 'open') throw new LeaseholdError('CACHE_CLOSED', 'this cache was closed')
    return resolveCallOptions(this.#definition.policy, options, allowed)
  }
}

/** @throws LeaseholdError `INVALID_OPTION` */
function checkList(params: unknown): void {
  if (!Array.isArray(params)) throw invalidOption('params', params, 'an array of what names the things')
}

function termsOf({ forceFresh }: Policy, options: ResourceCallOptions | undefined): LoadTerms {
  return { mayUpgrade: !forceFresh, ttlGiven: options?.ttl !== undefined }
}
