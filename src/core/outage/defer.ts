import { revokeHere } from '../calls/revoke-here.ts'
import type { Engine } from '../engine.ts'
import type { StoreError } from '../errors.ts'
import type { Invalidation } from './invalidation.ts'

/** `applied`: the store has done it. `deferred`: it holds in this process, and the store is told as soon as it answers. */
export type WriteOutcome = 'applied' | 'deferred'

/**
 * Keeps invalidations that the store could not be told, because it did not answer. A store that answered with a refusal would refuse again: then the failure
 * goes on up.
 */
export function deferOrThrow(engine: Engine, invalidations: readonly Invalidation[], failure: StoreError): 'deferred' {
  const { outage } = engine
  const gone = failure.code === 'STORE_UNAVAILABLE' || failure.code === 'STORE_TIMEOUT'
  if (!gone || engine.phase === 'closed') throw failure
  let overflowed = 0
  for (const invalidation of invalidations) {
    overflowed += outage.journal.defer(invalidation)
    revokeHere(engine, invalidation)
  }
  outage.replay.schedule()
  outage.report('deferred', invalidations.length)
  if (overflowed > 0) outage.report('overflowed', overflowed)
  return 'deferred'
}
