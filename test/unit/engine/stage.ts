import { createCache } from '../../../src/create-cache.ts'
import type { Cache } from '../../../src/core/cache.ts'
import type { CacheEventName, CacheEvents } from '../../../src/core/events.ts'
import type { Loader, LoaderContext } from '../../../src/core/flights/loader-context.ts'
import type { CacheOptions } from '../../../src/core/options/options.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { chaosStore, type ChaosScript, type ChaosStore } from '../../../src/testing/chaos-store.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { virtualClock, type VirtualClock } from '../../../src/testing/virtual-clock.ts'

export interface Fleet {
  readonly clock: VirtualClock
  readonly store: ChaosStore
  /** The caches of the first three processes. */
  readonly a: Cache
  readonly b: Cache
  readonly c: Cache
  readonly caches: readonly Cache[]
  readonly source: Source
  /** Resolves after virtual time. */
  sleep(ms: number): Promise<void>
  /** Lets virtual time pass until `promise` settles. */
  until<Value>(promise: Promise<Value>): Promise<Value>
}

/** Neither jitter nor refresh ahead, unless a test asks for them: so that every number below is exact. */
const plain = { jitter: 0, refresh: false, ttl: '1m' } as const

/** Three caches on one store, as three processes of a fleet would have them. */
export function openFleet(options: Partial<CacheOptions> = {}, script?: ChaosScript): Fleet {
  const clock = virtualClock()
  const store = chaosStore(memoryStore(), script)
  const caches = [1, 2, 3].map(seed =>
    createCache({ namespace: 'test', store, clock, random: seededRandom(seed), ...plain, ...options }),
  )
  const [a, b, c] = caches as [Cache, Cache, Cache]
  return {
    clock,
    store,
    a,
    b,
    c,
    caches,
    source: new Source(clock),
    sleep: ms => sleep(clock, ms),
    until: promise => clock.runUntilSettled(promise),
  }
}

export function sleep(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise(resolve => clock.setTimeout(resolve, ms))
}

/** What the cache spares: each load is counted and returns which one it was. */
export class Source {
  readonly #clock: VirtualClock
  readonly contexts: LoaderContext[] = []
  running = 0
  mostAtOnce = 0

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  get loads(): number {
    return this.contexts.length
  }

  /** A loader that takes `ms` and returns `'load 1'` the first time it runs, then `'load 2'`. */
  takes(ms: number): Loader<string> {
    return this.runs<string>(async () => sleep(this.#clock, ms))
  }

  /** A loader that fails after `ms` with the error given, `undefined` included. */
  fails(ms: number, ...error: readonly [unknown?]): Loader<string> {
    return this.runs<string>(async () => {
      await sleep(this.#clock, ms)
      throw error.length === 0 ? new Error('the source is down') : error[0]
    })
  }

  /** A loader that never settles, whatever its signal says. */
  hangs(): Loader<string> {
    return this.runs<string>(() => new Promise<void>(() => {}))
  }

  /** A loader that takes `ms` and returns `value`, `undefined` included. */
  returns<Value>(ms: number, value: Value): Loader<Value> {
    return this.#counted(async () => {
      await sleep(this.#clock, ms)
      return value
    })
  }

  /** A loader that does `work` and returns which load it was, unless `work` returns something. */
  runs<Value>(work: (context: LoaderContext) => Promise<Value | void> | void): Loader<Value> {
    return this.#counted(async (context, load) => {
      const value = await work(context)
      return value === undefined ? (`load ${load}` as Value) : value
    })
  }

  #counted<Value>(load: (context: LoaderContext, nth: number) => Promise<Value>): Loader<Value> {
    return async context => {
      const nth = this.contexts.push(context)
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.running)
      try {
        return await load(context, nth)
      } finally {
        this.running--
      }
    }
  }
}

export interface Tracked<Value> {
  readonly state: 'pending' | 'fulfilled' | 'rejected'
  readonly value: Value | undefined
  readonly error: unknown
  /** Virtual ms at which it settled. */
  readonly at: number | undefined
}

/** Follows a promise, so that a test may look at it between two steps. */
export function track<Value>(clock: VirtualClock, promise: Promise<Value>): Tracked<Value> {
  const tracked: { -readonly [Name in keyof Tracked<Value>]: Tracked<Value>[Name] } = {
    state: 'pending',
    value: undefined,
    error: undefined,
    at: undefined,
  }
  promise.then(
    value => Object.assign(tracked, { state: 'fulfilled', value, at: clock.now() }),
    (error: unknown) => Object.assign(tracked, { state: 'rejected', error, at: clock.now() }),
  )
  return tracked
}

type Watched<Name extends CacheEventName> = { [Each in Name]: { readonly event: Each } & CacheEvents[Each] }[Name]

/** Collects the records of the events named, in order, each with its event's name. */
export function watch<Name extends CacheEventName>(cache: Cache, ...names: readonly Name[]): Watched<Name>[] {
  const records: Watched<Name>[] = []
  for (const name of names) cache.on(name, record => records.push({ event: name, ...record }))
  return records
}
