import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as passed } from 'node:timers/promises'
import {
  isLeaseholdError,
  type Cache,
  type CallOptions,
  type LoaderContext,
  type SetOptions,
  type WriteOutcome,
} from '../../src/index.ts'
import { sharedNowMs } from '../fleet/messages.ts'
import type { Operation, OperationKind, Origin, Outcome } from './operation.ts'
import { tagName } from './tags-of-keys.ts'

/** What a loader does. */
export interface LoadPlan {
  readonly takesMs: number
  /** It throws, or never settles and does not heed its signal. Default: it returns a value. */
  readonly ends?: 'value' | 'error' | 'never'
  /** Tags that it finds. */
  readonly tags?: readonly string[]
}

/** A value that tells its key and where it comes from. */
interface Traced {
  readonly key: number
  readonly origin: Origin
  readonly padding?: string
}

/** How the answer to one call came about, as told by the status records. */
interface Note {
  outcome: Outcome | undefined
}

/** What a loader throws when it is told to. */
class SourceError extends Error {}

const currentCall = new AsyncLocalStorage<Note>()

export interface RecordedCacheOptions {
  readonly cache: Cache
  readonly process: number
  readonly record: (operation: Operation) => void
  /** Called when a loader begins. */
  readonly onLoad?: (key: number) => void
  /** Makes values that much larger. Default 0. */
  readonly paddingBytes?: number
}

export interface Answered {
  readonly outcome: Outcome
  readonly value: Origin | undefined
  readonly began: number
  readonly ended: number
}

/** A cache that records each of its calls and loads, with what was answered and from when it is. */
export class RecordedCache {
  readonly #cache: Cache
  readonly #process: number
  readonly #record: (operation: Operation) => void
  readonly #onLoad: (key: number) => void
  readonly #padding: string | undefined
  #lastId = 0
  #running = 0
  #errors: Record<string, number> = {}

  constructor({ cache, process, record, onLoad = () => {}, paddingBytes = 0 }: RecordedCacheOptions) {
    this.#cache = cache
    this.#process = process
    this.#record = record
    this.#onLoad = onLoad
    this.#padding = paddingBytes > 0 ? 'x'.repeat(paddingBytes) : undefined
    cache.on('hit', ({ from }) => note(from === 'local' ? 'copied' : 'hit'))
    cache.on('lookup', ({ from }) => note(from === 'local' ? 'copied' : 'hit'))
    cache.on('stale', ({ reason }) => note(reason === 'store-failed' ? 'unleased' : 'stale'))
    cache.on('miss', ({ outcome }) => note(outcome === 'kept' || outcome === 'bypassed' ? 'unleased' : outcome))
  }

  /** How many calls have not settled. */
  get running(): number {
    return this.#running
  }

  /** The errors that callers saw since the last time, by operation and code. */
  takeErrors(): Record<string, number> {
    const taken = this.#errors
    this.#errors = {}
    return taken
  }

  async getOrSet(key: number, plan: LoadPlan, options?: CallOptions): Promise<Answered> {
    const noted: Note = { outcome: undefined }
    return this.#call('getOrSet', key, async () => {
      const value = await currentCall.run(noted, () =>
        this.#cache.getOrSet(nameOf(key), context => this.#load(key, plan, context), options),
      )
      return { outcome: noted.outcome ?? 'untold', value }
    })
  }

  async get(key: number): Promise<Answered> {
    const noted: Note = { outcome: undefined }
    return this.#call('get', key, async () => {
      const value = await currentCall.run(noted, () => this.#cache.get<Traced>(nameOf(key)))
      return { outcome: noted.outcome ?? 'untold', value }
    })
  }

  async set(key: number, options?: SetOptions): Promise<Answered> {
    return this.#call('set', key, async (id, began) => {
      const value = this.#value(key, { kind: 'set', process: this.#process, id, began })
      return this.#written('set', await this.#cache.set(nameOf(key), value, options))
    })
  }

  async delete(key: number): Promise<Answered> {
    return this.#call('delete', key, async () => {
      return this.#written('delete', await this.#cache.delete(nameOf(key)))
    })
  }

  async expire(key: number): Promise<Answered> {
    return this.#call('expire', key, async () => {
      return this.#written('expire', await this.#cache.expire(nameOf(key)))
    })
  }

  async invalidateTags(tag: number): Promise<Answered> {
    return this.#call('invalidateTags', tag, async () => {
      return this.#written('invalidateTags', await this.#cache.invalidateTags(tagName(tag)))
    })
  }

  async clear(): Promise<Answered> {
    return this.#call('clear', 0, async () => this.#written('clear', await this.#cache.clear()))
  }

  /** One that was deferred holds in this process alone: for the others it counts as one that failed. */
  #written(kind: OperationKind, outcome: WriteOutcome): { outcome: Outcome; value: undefined } {
    if (outcome === 'applied') return { outcome: 'acknowledged', value: undefined }
    this.#errors[`${kind} deferred`] = (this.#errors[`${kind} deferred`] ?? 0) + 1
    return { outcome: 'failed', value: undefined }
  }

  async #call(
    kind: OperationKind,
    key: number,
    run: (id: number, began: number) => Promise<{ outcome: Outcome; value: Traced | undefined }>,
  ): Promise<Answered> {
    const id = ++this.#lastId
    this.#running++
    const began = sharedNowMs()
    let outcome: Outcome
    let value: Traced | undefined
    try {
      ;({ outcome, value } = await run(id, began))
    } catch (error) {
      outcome = error instanceof SourceError ? 'source-failed' : 'failed'
      const name = `${kind} ${isLeaseholdError(error) ? error.code : error instanceof SourceError ? 'the source failed' : String(error)}`
      this.#errors[name] = (this.#errors[name] ?? 0) + 1
    }
    const ended = sharedNowMs()
    this.#running--
    if (value !== undefined && value.key !== key) outcome = 'foreign'
    if (value === undefined && (kind === 'get' || kind === 'getOrSet') && (outcome === 'hit' || outcome === 'copied'))
      outcome = 'nothing'
    const operation = { kind, key, process: this.#process, id, began, ended, outcome }
    this.#record(value === undefined ? operation : { ...operation, value: value.origin })
    return { outcome, value: value?.origin, began, ended }
  }

  async #load(key: number, { takesMs, ends = 'value', tags = [] }: LoadPlan, context: LoaderContext): Promise<Traced> {
    const began = sharedNowMs()
    const id = ++this.#lastId
    this.#onLoad(key)
    const load = { kind: 'load', key, process: this.#process, id, began } as const
    // Also at once-answered loads let other work in between.
    await (ends === 'never' ? new Promise(() => {}) : passed(takesMs))
    const outcome = ends === 'error' ? 'failed' : 'loaded'
    this.#record({ ...load, ended: sharedNowMs(), outcome })
    if (ends === 'error') throw new SourceError('the source failed')
    context.tags.add(...tags)
    return this.#value(key, { kind: 'load', process: this.#process, id, began })
  }

  #value(key: number, origin: Origin): Traced {
    return this.#padding === undefined ? { key, origin } : { key, origin, padding: this.#padding }
  }
}

/** What a key's number is called in the cache. */
export function nameOf(key: number): string {
  return `key:${key}`
}

function note(outcome: Outcome): void {
  const call = currentCall.getStore()
  if (call !== undefined) call.outcome = outcome
}
