import { AsyncLocalStorage } from 'node:async_hooks'
import { checkDuration } from '../options/check-option.ts'
import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'
import type { Loader, LoaderContext, StaleValue } from './loader-context.ts'

export type LoadResult =
  | { readonly kind: 'value'; readonly value: unknown; readonly ttlMs: number | undefined; readonly skipped: boolean }
  | { readonly kind: 'not-modified'; readonly ttlMs: number | undefined }
  /** The loader returned `undefined`. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failed'; readonly error: unknown }

interface LoadFrame {
  readonly flights: object
  readonly id: string
  readonly parent: LoadFrame | undefined
  running: boolean
}

const frames = new AsyncLocalStorage<LoadFrame>()
let running = 0

const notModified: unique symbol = Symbol('notModified')

/** Whether the caller runs inside a loader of the same key of the same cache: to wait for that load would be to wait for itself. */
export function insideLoaderOf(flights: object, id: string): boolean {
  if (running === 0) return false
  for (let frame = frames.getStore(); frame !== undefined; frame = frame.parent) {
    if (frame.running && frame.flights === flights && frame.id === id) return true
  }
  return false
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
    readonly stale: () => StaleValue | undefined
  },
): Promise<LoadResult> {
  // Nobody waits for a refresh, the loader in which it was offered neither.
  const parent = running === 0 || context.background ? undefined : frames.getStore()
  const frame: LoadFrame = { flights, id, parent, running: true }
  running++
  let ttlMs: number | undefined
  let skipped = false
  let stale: { readonly value: StaleValue | undefined } | undefined
  const loaderContext: LoaderContext = {
    key: context.key,
    signal: context.signal,
    get stale() {
      stale ??= { value: context.stale() }
      return stale.value
    },
    setTtl(ttl) {
      ttlMs = checkDuration('ttl', ttl)
    },
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
    if (value === notModified) return { kind: 'not-modified', ttlMs }
    if (value === undefined) return { kind: 'nothing' }
    return { kind: 'value', value, ttlMs, skipped }
  } catch (error) {
    return { kind: 'failed', error }
  } finally {
    frame.running = false
    // While no loader runs nobody asks, and an enabled AsyncLocalStorage would tax every promise of the process.
    if (--running === 0) frames.disable()
  }
}
