import { isLeaseholdError, type ErrorCode } from '../../src/index.ts'
import type { CallRecord } from './history.ts'
import type { SimulatedProcess } from './process.ts'
import { callerLeft, SourceFailure } from './test-errors.ts'
import { show } from './timeline.ts'

const loadCodes: readonly ErrorCode[] = [
  'LOAD_TIMEOUT',
  'LOAD_COOLING',
  'LOADER_RECURSION',
  'UNSERIALIZABLE_VALUE',
  'CACHE_CLOSED',
]
const storeCodes: readonly ErrorCode[] = ['STORE_TIMEOUT', 'STORE_UNAVAILABLE', 'CACHE_CLOSED']

/** How long a write waits for a connection that has only just been made. */
const connectPatienceMs = 2000

/** A call has settled: in time, and if it failed, with an error that its kind may have. */
export function callSettled(process: SimulatedProcess, call: CallRecord, failure: { readonly error: unknown } | undefined): void {
  const { world } = process
  const elapsedMs = world.now - call.beganAt - (process.pausedMs - call.pausedBeforeMs)
  const mostMs = longestMs(call, process)
  world.coverage.measure(`ms past the deadline at worst: ${call.kind}`, elapsedMs - mostMs)
  if (elapsedMs > mostMs) {
    world.violate('P6', `call ${call.nth} (${call.kind} of ${call.key}) took ${elapsedMs.toFixed(0)} ms of at most ${mostMs}`)
  }
  if (failure === undefined) return
  world.coverage.count(`${call.kind} rejects ${nameOf(failure.error)}`)
  if (!mayFailWith(process, call, failure.error)) {
    world.violate('errors', `call ${call.nth} (${call.kind} of ${call.key}) rejected with ${show(failure.error)}`)
  }
}

function mayFailWith({ world, name }: SimulatedProcess, call: CallRecord, error: unknown): boolean {
  switch (call.kind) {
    case 'getOrSet':
      if (error === undefined || error instanceof SourceFailure) return true
      if (error === callerLeft) return call.aborts
      if (isLeaseholdError(error, 'UNSERIALIZABLE_VALUE')) return world.history.refusedValues.has(`${name} ${call.key}`)
      return loadCodes.some(code => isLeaseholdError(error, code))
    case 'set':
      return [...storeCodes, 'VALUE_TOO_LARGE' as const].some(code => isLeaseholdError(error, code))
    case 'delete':
    case 'expire':
    case 'invalidateTags':
    case 'clear':
      return storeCodes.some(code => isLeaseholdError(error, code))
    case 'get':
    case 'getMany':
    case 'getEntry':
    case 'has':
      return isLeaseholdError(error, 'CACHE_CLOSED')
    case 'peek':
    case 'close':
      return false
  }
}

/** How long a call of this kind may take, timers being exact and the process running. */
function longestMs({ kind, options, timeSource }: CallRecord, { plan, link }: SimulatedProcess): number {
  const connectingMs = timeSource !== -1 && timeSource === link.timeSource ? 0 : connectPatienceMs
  const commandMs = Number(plan.options.commandTimeout)
  const budgetMs = Number(plan.options.storeBudget)
  switch (kind) {
    case 'peek':
      return 0
    case 'get':
    case 'getMany':
    case 'getEntry':
    case 'has':
      // The entry, and then its tags.
      return 2 * commandMs + 2
    case 'delete':
    case 'expire':
    case 'invalidateTags':
    case 'clear':
      return connectingMs + 2 * commandMs + 1
    case 'set':
      return connectingMs + 4 * commandMs + 4
    case 'getOrSet':
      return Number(options.timeout?.hard) + budgetMs + commandMs + 1
    case 'close':
      return Number(plan.options.closeTimeout) + budgetMs + 2 * commandMs + 1
  }
}

function nameOf(error: unknown): string {
  if (error === undefined) return 'undefined'
  return isLeaseholdError(error) ? error.code : error === callerLeft ? 'abort' : (error as Error).name
}
