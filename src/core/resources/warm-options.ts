import { checkNames, checkObject } from '../options/check-option.ts'
import { invalidOption } from '../options/invalid-option.ts'
import { checkSignal } from '../options/resolve-policy.ts'

export interface WarmOptions<Params> {
  /** How many loads run at once. 1 to 1000, default 4. */
  readonly concurrency?: number
  /** How many are looked up, and given to one `loadMany`, together. 1 to 10000, default 100. */
  readonly batchSize?: number
  /** How many of the source's first to pass over: the `position` where an earlier run ended. Default 0. */
  readonly from?: number
  /** Ends it when it aborts; loads that are running are aborted too. */
  readonly signal?: AbortSignal
  /** Told after each batch. */
  readonly onProgress?: (progress: WarmReport) => void
  /** Told of each that could not be loaded, or has no key. */
  readonly onError?: (params: Params, error: unknown) => void
}

/** How far a warm-up has come. */
export interface WarmReport {
  /** All that come before this place of the source are done: what `from` takes. */
  readonly position: number
  /** Loaded and stored. */
  readonly loaded: number
  /** Stood there fresh. */
  readonly fresh: number
  /** Left to others: someone else is loading or has changed them, or the store gave no lease; or loaded, but the loader left nothing to store. */
  readonly skipped: number
  /** Could not be loaded, or have no key. */
  readonly failed: number
}

const defaultConcurrency = 4
const defaultBatchSize = 100
type WholeOption = 'concurrency' | 'batchSize' | 'from'

const optionNames: ReadonlySet<string> = new Set<keyof WarmOptions<unknown>>([
  'concurrency',
  'batchSize',
  'from',
  'signal',
  'onProgress',
  'onError',
])

/** @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION` */
export function checkWarming<Params>(source: unknown, options: WarmOptions<Params>): Record<WholeOption, number> {
  checkNames(checkObject('options', options, 'an object'), optionNames)
  checkSource(source)
  const { signal, onProgress, onError } = options
  if (signal !== undefined) checkSignal(signal)
  for (const [option, value] of Object.entries({ onProgress, onError })) {
    if (value !== undefined && typeof value !== 'function') throw invalidOption(option, value, 'a function')
  }
  return {
    concurrency: whole('concurrency', options.concurrency, 1, 1_000, defaultConcurrency),
    batchSize: whole('batchSize', options.batchSize, 1, 10_000, defaultBatchSize),
    from: whole('from', options.from, 0, Number.MAX_SAFE_INTEGER, 0),
  }
}

/** A text can be iterated too, but is hardly meant. */
function checkSource(source: unknown): void {
  if (typeof source === 'object' && source !== null && (Symbol.iterator in source || Symbol.asyncIterator in source)) return
  throw invalidOption('source', source, 'something that can be iterated, such as an array or an async generator')
}

function whole(option: WholeOption, value: unknown, min: number, max: number, fallback: number): number {
  if (value === undefined) return fallback
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
  throw invalidOption(option, value, `a whole number from ${min} to ${max}`)
}
