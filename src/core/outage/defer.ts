import { revokeHere } from '../calls/revoke-here.ts'
import type { Engine } from '../engine.ts'
import type { StoreError } from '../errors.ts'
import type { EntryKey } from '../ports.ts'

/** `applied`: the store has done it. `deferred`: it holds in this process, and the store is told as soon as it answers. */
export type WriteOutcome = 'applied' | 'deferred'

/**
 * Keeps an invalidation that the store could not be told, because it did not answer. A store that answered with a refusal would refuse again, and a journal that
 * is full can promise nothing: then the failure goes on up.
 */
export function deferOrThrow(engine: Engine, key: EntryKey, failure: StoreError): 'deferred' {
  const { journal, replay } = engine.outage
  const gone = failure.code === 'STORE_UNAVAILABLE' || failure.code === 'STORE_TIMEOUT'
  if (!gone || engine.phase === 'closed' || !journal.defer(key)) throw failure
  revokeHere(engine, key)
  replay.schedule()
  engine.outage.report('deferred', 1)
  return 'deferred'
}
