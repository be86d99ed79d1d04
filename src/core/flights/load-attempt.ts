import { AsyncLocalStorage } from 'node:async_hooks'
import { checkDuration } from '../options/check-option.ts'
import { describeValue } from '../describe-value.ts'
import { forKey, LeaseholdError } from '../errors.ts'
import type { LoaderTags } from '../tags/loader-tags.ts'
import type { Loader, LoaderContext, StaleValue } from './loader-context.ts'

export type LoadResult =
  | {
      readonly kind: 'value'
      readonly value: unknown
      readonly ttlMs: number | undefined
      readonly skipped: boolean
      readonly tags: readonly string[]
    }
  | { readonly kind: 'not-modified'; readonly ttlMs: number | undefined; readonly tags: readonly string[] }
  /** The loader returned `undefined`. */
  | { readonly kind: 'nothing'; readonly tags: readonly string[] }
  | { readonly kind: 'failed'; readonly error: unknown }

export interface LoadFrame {
  /** Undefined for work that several loaders share: it has no key of its own. */
  readonly flights: object | undefined
  readonly id: string
  /** The loaders that wait for this one. */
  readonly parents: readonly LoadFrame[]
  running: boolean
}

const frames = new AsyncLocalStorage<LoadFrame>()
let running = 0

/** What `notModified()` returns: the loader hands it on in place of a value. */
export const notModified: unique symbol = Symbol('notModified')

/** Whether the caller runs inside a loader of the same key of the same cache: to wait for that load would be to wait for itself. */
export function insideLoaderOf(flights: object, id: string): boolean {
  if (running === 0) return false
  // A set hands out what is added while it is walked.
  const around = new Set(loadersAround())
  for (const frame of around) {
    if (frame.running && frame.flights === flights && frame.id === id) return true
    for (const parent of frame.parents) around.add(parent)
  }
  return false
}

/** The loader that the caller runs in, for {@link insideLoaders}. */
export function loadersAround(): readonly LoadFrame[] {
  const frame = running === 0 ? undefined : frames.getStore()
  return frame === undefined ? [] : [frame]
}

/** Runs work that several loaders wait for together, so that it is known to be inside each of them. */
export async function insideLoaders<Result>(
  parents: readonly LoadFrame[],
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const frame: LoadFrame = { flights: undefined, id: '', parents, running: true }
  running++
  try {
    return await frames.run(frame, async () => work())
  } finally {
    frame.running = false
    if (--running === 0) frames.disable()
  }
}

/** Whether the caller runs inside a loader of whatever key. */
export function insideLoader(): boolean {
  return running > 0 && frames.getStore()?.running === true
}

/** Runs the loader. Never rejects: whatever the loader throws, `undefined` included, is a result. */
export async function runLoader(
  flights: object,
  id: string,
  loader: Loader<unknown>,
  context: {
    readonly key: string
    readonly signal: AbortSignal
    readonly background: boolean
    readonly tags: LoaderTags
    readonly stale: () => StaleValue | undefined
  },
): Promise<LoadResult> {
  // Nobody waits for a refresh, the loader in which it was offered neither.
  const frame: LoadFrame = { flights, id, parents: context.background ? [] : loadersAround(), running: true }
  running++
  const { tags } = context
  let ttlMs: number | undefined
  let skipped = false
  let stale: { readonly value: StaleValue | undefined } | undefined
  const loaderContext: LoaderContext = {
    key: context.key,
    signal: context.signal,
    background: context.background,
    get stale() {
      stale ??= { value: context.stale() }
      return stale.value
    },
    setTtl(ttl) {
      ttlMs = forKey(context.key, () => checkDuration('ttl', ttl))
    },
    tags: { add: (...added) => tags.add(...added) },
    skip() {
      skipped = true
    },
    notModified() {
      if (loaderContext.stale !== undefined) return notModified as never
      throw new LeaseholdError(
        'INVALID_LOADER',
        `notModified() needs a stored value; check ctx.stale first (key ${describeValue(context.key)})`,
        {
          key: context.key,
        },
      )
    },
  }
  try {
    const value = await frames.run(frame, async () => loader(loaderContext))
    if (value === notModified) return { kind: 'not-modified', ttlMs, tags: tags.all }
    if (value === undefined) return { kind: 'nothing', tags: tags.all }
    return { kind: 'value', value, ttlMs, skipped, tags: tags.all }
  } catch (error) {
    return { kind: 'failed', error }
  } finally {
    frame.running = false
    // While no loader runs nobody asks, and an enabled AsyncLocalStorage would tax every promise of the process.
    if (--running === 0) frames.disable()
  }
}
