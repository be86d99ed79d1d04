import { listenForAbort } from '../abort-listeners.ts'
import { isFresh } from '../calls/decide.ts'
import { StoreBudget } from '../calls/store-budget.ts'
import { readEach } from '../calls/read-each.ts'
import { decodeValue, openEntry, reportStoreError, undecodable, type Engine } from '../engine.ts'
import { LeaseholdError, type StoreError } from '../errors.ts'
import { keyId } from '../flights/flights.ts'
import { startFlight, type RunResult } from '../flights/flight-run.ts'
import type { LoadBatch } from '../flights/load-batch.ts'
import type { Loader } from '../flights/loader-context.ts'
import type { Policy } from '../options/options.ts'
import type { Entry, EntryKey, Token } from '../ports.ts'
import { isFound, type Found } from '../local/header-reads.ts'
import { isDeferred, verdictOn } from '../tags/tag-check.ts'
import type { ResourceLoading } from './resource-loading.ts'
import { checkWarming, type WarmOptions, type WarmReport } from './warm-options.ts'
import { WarmSource, type WarmChunk } from './warm-source.ts'

interface Warming<Params> {
  readonly engine: Engine
  readonly loading: ResourceLoading
  readonly policy: Policy
  readonly keyOf: (params: Params) => string
  readonly source: Iterable<Params> | AsyncIterable<Params>
  readonly options: WarmOptions<Params>
}

export async function warm<Params>(warming: Warming<Params>): Promise<WarmReport> {
  const { concurrency, batchSize, from } = checkWarming(warming.source, warming.options)
  return new WarmUp(warming, new WarmSource(warming.source, batchSize, from)).run(concurrency)
}

/** A key whose value has to be loaded. */
interface Cold<Params> {
  readonly key: EntryKey
  readonly params: Params
  readonly stale: Entry | undefined
  readonly seen: readonly Token[]
}

class WarmUp<Params> {
  readonly #warming: Warming<Params>
  readonly #source: WarmSource<Params>
  readonly #counts = { loaded: 0, fresh: 0, skipped: 0, failed: 0 }
  #failure: { readonly error: unknown } | undefined

  constructor(warming: Warming<Params>, source: WarmSource<Params>) {
    this.#warming = warming
    this.#source = source
  }

  async run(concurrency: number): Promise<WarmReport> {
    try {
      await Promise.all(Array.from({ length: concurrency }, () => this.#work()))
    } finally {
      await this.#source.close()
    }
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#report()
  }

  /** One of the workers: takes chunk after chunk until there is none, or one of the workers has failed. */
  async #work(): Promise<void> {
    const { engine, options } = this.#warming
    try {
      for (;;) {
        options.signal?.throwIfAborted()
        if (engine.phase !== 'open') throw new LeaseholdError('CACHE_CLOSED', 'the cache was closed while it was being warmed')
        const chunk = this.#failure === undefined ? await this.#source.next() : undefined
        if (chunk === undefined) return
        await engine.pending.during(() => this.#fill(chunk))
        options.signal?.throwIfAborted()
        this.#source.finish(chunk)
        options.onProgress?.(this.#report())
      }
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  #report(): WarmReport {
    return { position: this.#source.position, ...this.#counts }
  }

  async #fill(chunk: WarmChunk<Params>): Promise<void> {
    const cold = await this.#findCold(chunk.items)
    const paramsOf = new Map(cold.map(({ key, params }) => [key.key, params]))
    const terms = { mayUpgrade: true, ttlGiven: false }
    const { loading } = this.#warming
    const batch = loading.many(paramsOf, terms)
    if (batch !== undefined) {
      const departure = batch.expect(true)
      const loads = cold.map(each => this.#load(each, batch.loader, batch))
      departure.settle()
      await Promise.all(loads)
      return
    }
    for (const each of cold) {
      if (this.#warming.options.signal?.aborted === true) return
      await this.#load(each, loading.single(each.params, terms) as Loader<unknown>, undefined)
    }
  }

  async #findCold(items: readonly Params[]): Promise<readonly Cold<Params>[]> {
    const { engine, policy } = this.#warming
    const paramsOf = this.#keysOf(items)
    const cold: Cold<Params>[] = []
    let failure: StoreError | undefined
    const keys = [...paramsOf.keys()]
    const askedAt = engine.sequence.next()
    const believes = engine.outage.journal.observe(keys, policy.version)
    const judged: Promise<void>[] = []
    const sort = (key: EntryKey, state: State): void => {
      if (state === 'fresh') this.#counts.fresh++
      else cold.push({ key, params: paramsOf.get(key.key) as Params, ...state })
    }
    await readEach(engine, keys, policy.version, (key, found, _, record) => {
      // A delete that the store has yet to be told of.
      if (!believes(key)) return void this.#counts.skipped++
      if (!isFound(found)) return void (failure = reportStoreError(engine, 'read', key, found))
      const state = lookAt(engine, policy, key, found, record, askedAt)
      // Those of one tick are looked up together.
      if (state instanceof Promise) judged.push(state.then(known => sort(key, known)))
      else sort(key, state)
    })
    await Promise.all(judged)
    if (failure !== undefined) throw failure
    return cold
  }

  /** The things by their keys. One that has none has failed, and the others go on. */
  #keysOf(items: readonly Params[]): ReadonlyMap<string, Params> {
    const { keyOf, options } = this.#warming
    const paramsOf = new Map<string, Params>()
    for (const params of items) {
      try {
        paramsOf.set(keyOf(params), params)
      } catch (error) {
        this.#counts.failed++
        options.onError?.(params, error)
      }
    }
    return paramsOf
  }

  async #load(cold: Cold<Params>, load: Loader<unknown>, batch: LoadBatch | undefined): Promise<void> {
    const { engine, policy, options } = this.#warming
    const { commandTimeoutMs, storeBudgetMs } = engine.options
    let failure: { readonly error: unknown } | undefined
    const loader: Loader<unknown> = async context => {
      try {
        return await load(context)
      } catch (error) {
        failure = { error }
        throw error
      }
    }
    const plan = {
      purpose: 'refresh',
      key: cold.key,
      id: keyId(cold.key),
      loader,
      batch,
      policy,
      budget: new StoreBudget(engine.clock, commandTimeoutMs, storeBudgetMs),
      seen: cold.seen,
      stale: cold.stale,
      storeFailed: false,
    } as const
    const { flight, finished } = startFlight(engine, plan, undefined)
    const { leave } = flight.join({ began: engine.sequence.next() })
    const unlisten = options.signal === undefined ? undefined : listenForAbort(options.signal, () => leave('called-off'))
    const result = await finished
    unlisten?.()
    this.#count(result)
    if (failure !== undefined && options.signal?.aborted !== true) options.onError?.(cold.params, failure.error)
  }

  #count(result: RunResult): void {
    if (result === 'stored') this.#counts.loaded++
    else if (result === 'failed') this.#counts.failed++
    else this.#counts.skipped++
  }
}

/** What stands at a key: a value that is fresh and valid, or what a load needs to know of it. */
type State = 'fresh' | { readonly stale: Entry | undefined; readonly seen: readonly Token[] }

const nothing: State = { stale: undefined, seen: [] }

function lookAt(
  engine: Engine,
  policy: Policy,
  key: EntryKey,
  found: Found,
  record: Buffer | null,
  askedAt: number,
): State | Promise<State> {
  if (found === null) return nothing
  const entry = openEntry(engine, key, found)
  if ('unreadable' in entry) return { stale: undefined, seen: entry.token === undefined ? [] : [entry.token] }
  const deferred = isDeferred(engine, entry, policy.tags, askedAt)
  if (!deferred && entry.standing(record, policy.tags.length > 0) === 'valid') return stateOf(engine, policy, key, entry)
  const { commandTimeoutMs } = engine.options
  return verdictOn(engine, key, entry, record, policy.tags, commandTimeoutMs, askedAt).then(verdict => {
    if (verdict === 'valid') return stateOf(engine, policy, key, entry)
    // Whoever asks for the lease would be offered it again.
    return verdict === 'invalid' ? { stale: undefined, seen: [entry.token] } : nothing
  })
}

function stateOf(engine: Engine, { schema }: Policy, key: EntryKey, entry: Entry): State {
  if (!isFresh(entry, engine.store.now(key))) return { stale: entry, seen: [] }
  // Nothing is decoded in vain.
  if (schema === undefined || decodeValue(engine, key, entry, schema) !== undecodable) return 'fresh'
  return { stale: undefined, seen: [entry.token] }
}
