import { describeValue } from '../describe-value.ts'
import type { Engine } from '../engine.ts'
import { ReplicationError } from '../errors.ts'
import { formatDuration } from '../options/duration.ts'
import { invalidOption } from '../options/invalid-option.ts'
import type { Confirmation, EntryKey } from '../ports.ts'
import type { WantedReplicas } from './replica-options.ts'

/** @throws LeaseholdError `INVALID_OPTION` when there cannot be any replicas */
export function checkReplicas({ store }: Engine, { replicas }: WantedReplicas): void {
  if (store.confirm === undefined) throw invalidOption('replicas', replicas, '0: this store has no replicas')
}

/**
 * Waits until replicas have what the store has acknowledged of the key.
 *
 * @param doubts The journal's, from before the store was told.
 * @throws ReplicationError `NOT_REPLICATED`
 */
export async function awaitReplicas(engine: Engine, key: EntryKey, wanted: WantedReplicas, doubts: number): Promise<void> {
  const confirmation = (await engine.store.confirm?.({ ...key, ...wanted })) ?? { confirmed: 0, attached: 0 }
  // What has been confirmed then may be the data of a server that never heard of it.
  const changed = engine.outage.journal.doubts !== doubts
  if (!changed && confirmation.confirmed >= wanted.replicas) return
  const done = `${describeValue(key.key)} is deleted, but ${changed ? 'the server has changed since' : whyNot(confirmation, wanted)}`
  throw new ReplicationError(`${done}: a failover may bring it back`, changed ? 0 : confirmation.confirmed, {
    key: key.key,
    option: 'replicas',
    cause: confirmation.failure,
  })
}

function whyNot({ confirmed, attached, failure }: Confirmation, { replicas, timeoutMs }: WantedReplicas): string {
  if (failure !== undefined) return `nothing is known of its replicas (${failure.message})`
  const counted = `${confirmed} of ${replicas} replicas have confirmed it within ${formatDuration(timeoutMs)}`
  if (attached === undefined || attached >= replicas) return counted
  return `${counted}; the server has ${attached === 0 ? 'no replica' : attached === 1 ? 'one replica' : `${attached} replicas`}`
}
