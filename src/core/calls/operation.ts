import type { Engine } from '../engine.ts'
import { traced, type Operation, type TracedOperation } from '../tracer.ts'

/** Runs an operation, inside the tracer if there is one. `close` waits for it. */
export function runOperation<Result>(
  { tracer, pending }: Engine,
  name: Operation,
  operation: TracedOperation,
  run: () => Promise<Result>,
): Promise<Result> {
  return traced(tracer, name, operation, () => pending.during(run))
}
