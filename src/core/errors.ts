import { describeValue } from './describe-value.ts'

/** Every code that Leasehold throws. `docs/errors.md` says for each what to do. */
export type ErrorCode =
  | 'INVALID_OPTION'
  | 'UNKNOWN_OPTION'
  | 'INVALID_KEY'
  | 'INVALID_LOADER'
  | 'INVALID_TAG'
  | 'CACHE_CLOSED'
  | 'LOAD_TIMEOUT'
  | 'LOAD_COOLING'
  | 'LOADER_RECURSION'
  | 'OVERLOADED'
  | 'UNSERIALIZABLE_VALUE'
  | 'VALUE_TOO_LARGE'
  | 'SCHEMA_MISMATCH'
  | 'BATCH_FAILED'
  | 'NOT_REPLICATED'
  | 'STORE_TIMEOUT'
  | 'STORE_UNAVAILABLE'
  | 'STORE_FULL'
  | 'STORE_REFUSED'
  | 'STORE_UNSUPPORTED'

export interface ErrorDetails {
  /** The option at fault. */
  readonly option?: string | undefined
  /** The cache key at fault. */
  readonly key?: string | undefined
  readonly cause?: unknown
}

const brand: symbol = Symbol.for('leasehold.error')

/** The one error class of the public interface. Recognise it with {@link isLeaseholdError}. */
export class LeaseholdError extends Error {
  override readonly name: string = 'LeaseholdError'
  readonly code: ErrorCode
  readonly option: string | undefined
  readonly key: string | undefined

  static {
    Object.defineProperty(this.prototype, brand, { value: true })
  }

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.option = details.option
    this.key = details.key
  }
}

/** True for Leasehold's errors, also those of another copy of the package; with `code`, for that code alone. */
export function isLeaseholdError(error: unknown, code: StoreErrorCode): error is StoreError
export function isLeaseholdError(error: unknown, code: 'BATCH_FAILED'): error is BatchError
export function isLeaseholdError(error: unknown, code: 'NOT_REPLICATED'): error is ReplicationError
export function isLeaseholdError(error: unknown, code?: ErrorCode): error is LeaseholdError
export function isLeaseholdError(error: unknown, code?: ErrorCode): error is LeaseholdError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return code === undefined || (error as LeaseholdError).code === code
}

export type StoreErrorCode = Extract<ErrorCode, `STORE_${string}`>

/** A store command that failed. `outcome` is `'unknown'` when it may have been executed all the same. */
export class StoreError extends LeaseholdError {
  declare readonly code: StoreErrorCode
  readonly outcome: 'unknown' | 'not-executed'

  constructor(code: StoreErrorCode, outcome: 'unknown' | 'not-executed', message: string, details?: ErrorDetails) {
    super(code, message, details)
    this.outcome = outcome
  }
}

/** The store has done what it was asked, but fewer replicas than were wanted are known to have it: a failover might undo it. */
export class ReplicationError extends LeaseholdError {
  declare readonly code: 'NOT_REPLICATED'
  /** How many replicas are known to have it. */
  readonly confirmed: number

  constructor(message: string, confirmed: number, details?: ErrorDetails) {
    super('NOT_REPLICATED', message, details)
    this.confirmed = confirmed
  }
}

const keysShown = 5

/** Some keys of a batch failed; the others did not. */
export class BatchError extends LeaseholdError {
  declare readonly code: 'BATCH_FAILED'
  /** What went wrong with each key that failed. */
  declare readonly errors: ReadonlyMap<string, unknown>
  /** What became of each key that was asked for, in that order: the values that were found, and the errors. */
  declare readonly results: readonly PromiseSettledResult<unknown>[]

  constructor(errors: ReadonlyMap<string, unknown>, results: readonly PromiseSettledResult<unknown>[]) {
    const shown = Array.from(errors, ([key, error]) => `${describeValue(key)} (${messageOf(error)})`).slice(0, keysShown)
    const more = errors.size > keysShown ? `, and ${errors.size - keysShown} more` : ''
    const [first] = errors.values()
    super('BATCH_FAILED', `${errors.size} of the keys failed: ${shown.join(', ')}${more}; see errors and results`, {
      cause: first,
    })
    // Not shown when the error is logged: there may be thousands of them, with values.
    Object.defineProperties(this, { errors: { value: errors }, results: { value: results } })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : describeValue(error)
}

/** Runs a check of something that belongs to `key`; the error that it throws names the key too. */
export function forKey<Result>(key: string, check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    if (!isLeaseholdError(error) || error.key !== undefined) throw error
    throw new LeaseholdError(error.code, `${error.message} (key ${describeValue(key)})`, { key, option: error.option })
  }
}

/** Anything else that a store throws is a bug and goes on up. */
export function storeErrorOnly(error: unknown): StoreError {
  if (!isStoreError(error)) throw error
  return error
}

/** Also true for store errors of another copy of the package. */
export function isStoreError(error: unknown): error is StoreError {
  return isLeaseholdError(error) && 'outcome' in error
}
