/** What a cache is asked to do. */
export type Operation =
  | 'getOrSet'
  | 'getOrSetMany'
  | 'getMany'
  | 'get'
  | 'getEntry'
  | 'has'
  | 'set'
  | 'delete'
  | 'expire'
  | 'invalidateTags'
  | 'clear'

/** How an operation ended. `undefined` while it runs, when it failed, and for those that look for nothing. */
export type OperationOutcome = 'hit' | 'stale' | 'absent' | 'loaded' | 'joined' | 'waited' | 'unleased' | undefined

export interface TracedOperation {
  /** Undefined for many keys, and for what is about none. */
  readonly key?: string
  /** How many keys it is about, if many. */
  readonly keys?: number
  /** How many of them failed, once that is known. One that tells what became of each does not fail for it. */
  readonly failedKeys?: number
  readonly outcome: OperationOutcome
}

export interface TracedLoad {
  /** Undefined for a load of many keys. */
  readonly key?: string
  readonly keys?: number
  /** For how many of them the batch loader returned an `Error`, once that is known. */
  readonly failedKeys?: number
  /** The first of those errors. */
  readonly error?: Error
  /** A refresh that no caller waits for. */
  readonly background: boolean
}

/** Runs operations and loads inside something of its own, such as a span. It must call `run` once, at once, and return what that returns. */
export interface Tracer {
  /** Asked before each operation and load: false runs it outside. */
  wants(): boolean
  operation<Result>(name: Operation, operation: TracedOperation, run: () => Promise<Result>): Promise<Result>
  /** Around the loader: `run` rejects with what it throws. */
  load<Result>(load: TracedLoad, run: () => Promise<Result>): Promise<Result>
}

/** Runs an operation, inside the tracer if there is one. */
export function traced<Result>(
  tracer: Tracer | undefined,
  name: Operation,
  operation: TracedOperation,
  run: () => Promise<Result>,
): Promise<Result> {
  return tracer === undefined || !tracer.wants() ? run() : tracer.operation(name, operation, run)
}
