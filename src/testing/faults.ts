import { StoreError } from '../core/errors.ts'
import { invalidOption } from '../core/options/invalid-option.ts'
import { checkMs } from './check-arguments.ts'

/** What befalls a call instead of passing through at once. Made by {@link refused}, {@link slow} and their like. */
export type Fault =
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'slow'; readonly requestMs: number; readonly replyMs: number }
  | { readonly kind: 'answered'; readonly reply: unknown }
  | { readonly kind: 'twice' }

/** Fails at once, and the caller knows that nothing was executed. */
export function refused(error: Error = new StoreError('STORE_UNAVAILABLE', 'not-executed', 'the connection is down')): Fault {
  return { kind: 'refused', error }
}

/**
 * Takes `requestMs` to reach the store and `replyMs` to come back. When both together exceed the caller's timeout it gives up with an unknown
 * outcome, and the command is executed all the same when it arrives. Infinity: never arrives. A message only has the first.
 */
export function slow(requestMs: number, replyMs = 0): Fault {
  checkMs('requestMs', requestMs)
  checkMs('replyMs', replyMs)
  return { kind: 'slow', requestMs, replyMs }
}

/** Never executed; the caller times out and cannot know. */
export function lostRequest(): Fault {
  return slow(Infinity)
}

/** Executed at once; the caller times out and cannot know. */
export function lostReply(): Fault {
  return slow(0, Infinity)
}

/** Answered in the store's place: nothing is executed. */
export function answered(reply: unknown): Fault {
  return { kind: 'answered', reply }
}

/** Executed twice over, as by a client that sends again what it was not sure of; the caller hears the second answer. A message is delivered twice. */
export function twice(): Fault {
  return { kind: 'twice' }
}

const kinds: ReadonlySet<unknown> = new Set<Fault['kind']>(['refused', 'slow', 'answered', 'twice'])

/** @throws LeaseholdError `INVALID_OPTION` for what is neither a fault nor undefined, such as a fault's function that was not called. */
export function checkFault(option: string, fault: unknown): Fault | undefined {
  if (fault === undefined) return undefined
  if (typeof fault === 'object' && fault !== null && 'kind' in fault && kinds.has(fault.kind)) return fault as Fault
  throw invalidOption(option, fault, 'a fault, such as lostReply(), or undefined')
}
