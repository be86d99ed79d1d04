import type { Duration } from '../options/options.ts'

/** The value that stood in the store before this load: past its freshness, or, in an early refresh, about to be. */
export interface StaleValue {
  readonly value: unknown
  /** How long ago it was stored, in ms. */
  readonly ageMs: number
}

/** What a loader is given. */
export interface LoaderContext {
  readonly key: string
  /** Aborts at the hard timeout, when every caller has left, and when a background refresh has lost its lease. */
  readonly signal: AbortSignal
  /** A refresh, or a warm-up, that no caller waits for. */
  readonly background: boolean
  /** The previous value, if one is still stored: for conditional requests. Always undefined under `forceFresh`, which does not look. */
  readonly stale: StaleValue | undefined
  /** Sets how long this value is fresh, instead of the `ttl` option. */
  setTtl(ttl: Duration): void
  /** Tags that the loader has found out, beside those that the call named. `add` throws `INVALID_TAG` for one that can be no tag. */
  readonly tags: { add(...tags: readonly string[]): void }
  /** Answers the callers but stores nothing. */
  skip(): void
  /** `return notModified()` stores the previous value again, fresh. Throws `INVALID_LOADER` when there is none. */
  notModified(): never
}

/** Computes a value from the source. `undefined` stores nothing. */
export type Loader<Value> = (context: LoaderContext) => Value | Promise<Value>
