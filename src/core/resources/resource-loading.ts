import type { Engine } from '../engine.ts'
import { checkLoaded, LoadBatch, type LoadManyContext } from '../flights/load-batch.ts'
import type { Loader, LoaderContext } from '../flights/loader-context.ts'
import { upgradePrevious } from './previous-version.ts'
import type { ResolvedDefinition } from './resolve-definition.ts'
import { applyValuePolicy, WatchedContext } from './value-policy.ts'

/** What the calls for one load have in common. */
export interface LoadTerms {
  /** Whether a value of the version before may do in place of a load. */
  readonly mayUpgrade: boolean
  /** The call was given a ttl, which goes before those of the definition. */
  readonly ttlGiven: boolean
}

/** Makes a resource's loaders what the engine takes: by key, with the definition's rules applied, and in turn. */
export class ResourceLoading {
  readonly #engine: Engine
  readonly #definition: ResolvedDefinition

  constructor(engine: Engine, definition: ResolvedDefinition) {
    this.#engine = engine
    this.#definition = definition
  }

  /** Loads one thing by `load`, if there is one. */
  single(params: unknown, terms: LoadTerms): Loader<unknown> | undefined {
    const { load } = this.#definition
    if (load === undefined) return undefined
    return async context => {
      const upgraded = await this.#upgrade([context], [params], terms)
      if (upgraded.has(0)) return upgraded.get(0)
      const { queue } = this.#definition
      if (queue?.full === true) throw queue.overloaded(context.key)
      const watched = new WatchedContext(context, terms.ttlGiven)
      const loaded = await this.#inTurn(context, async () => load(params, watched.context))
      return applyValuePolicy(this.#definition, watched, loaded, params)
    }
  }

  /** Loads many things by one `loadMany`, if there is one. Keys may be added to `paramsOf` until the load leaves. */
  many(paramsOf: ReadonlyMap<string, unknown>, terms: LoadTerms): LoadBatch | undefined {
    const { loadMany } = this.#definition
    if (loadMany === undefined) return undefined
    return new LoadBatch(async (keys, { each, signal, background }) => {
      const values: unknown[] = Array.from(keys, () => undefined)
      const upgraded = await this.#upgrade(
        each,
        keys.map(key => paramsOf.get(key)),
        terms,
      )
      for (const [place, value] of upgraded) values[place] = value
      const places = Array.from(keys.keys()).filter(place => !upgraded.has(place))
      if (places.length === 0) return values
      const { queue } = this.#definition
      if (queue?.full === true) {
        for (const place of places) values[place] = queue.overloaded(keys[place] as string)
        return values
      }
      const watched = places.map(place => new WatchedContext(each[place] as LoaderContext, terms.ttlGiven))
      // By their order the values find their keys.
      const params = Object.freeze(places.map(place => paramsOf.get(keys[place] as string)))
      const context = { each: Object.freeze(watched.map(({ context: own }) => own)), signal, background }
      const loaded = await this.#inTurn(context, async () => loadMany(params, context))
      checkLoaded(loaded, places.length)
      for (const [nth, place] of places.entries()) {
        values[place] = this.#finish(watched[nth] as WatchedContext, loaded[nth], params[nth])
      }
      return values
    }, this.#engine.tracer)
  }

  /** What a rule throws for one value fails that value alone. */
  #finish(watched: WatchedContext, loaded: unknown, params: unknown): unknown {
    try {
      return applyValuePolicy(this.#definition, watched, loaded, params)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #upgrade(
    contexts: readonly LoaderContext[],
    params: readonly unknown[],
    { mayUpgrade }: LoadTerms,
  ): Promise<ReadonlyMap<number, unknown>> {
    if (!mayUpgrade || this.#definition.upgrade === undefined) return new Map()
    return upgradePrevious(this.#engine, this.#definition, contexts, params)
  }

  #inTurn<Result>(
    { signal, background }: Pick<LoadManyContext, 'signal' | 'background'>,
    load: () => Promise<Result>,
  ): Promise<Result> {
    const { queue } = this.#definition
    return queue === undefined ? load() : queue.run(signal, background, load)
  }
}
