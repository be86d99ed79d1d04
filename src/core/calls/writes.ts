import { recordBase, reportEncodeError, reportStoreError, type Engine } from '../engine.ts'
import { entryTimes } from '../flights/entry-times.ts'
import { describeValue } from '../describe-value.ts'
import { isStoreError, LeaseholdError, type StoreError } from '../errors.ts'
import type { SetRecord } from '../events.ts'
import type { Policy } from '../options/options.ts'
import { deferOrThrow, type WriteOutcome } from '../outage/defer.ts'
import type { KeyInvalidation } from '../outage/invalidation.ts'
import type { Clock, EntryKey, PutReply } from '../ports.ts'
import { awaitReplicas, checkReplicas } from './await-replicas.ts'
import { runOperation } from './operation.ts'
import { wantedReplicas, type ReplicaOptions, type WantedReplicas } from './replica-options.ts'
import { dropCopies, revokeKeyHere } from './revoke-here.ts'

/** Removing and expiring may be repeated freely, so a command whose reply was lost is sent again. */
const invalidateTries = 2
const connectPatienceMs = 2_000

/** Stores a value that the application computed. Loads that are running do not overwrite it. */
export function setValue(engine: Engine, key: string, value: unknown, policy: Policy): Promise<WriteOutcome> {
  return runOperation(engine, 'set', { key, outcome: undefined }, () => storeValue(engine, key, value, policy))
}

async function storeValue(engine: Engine, key: string, value: unknown, policy: Policy): Promise<WriteOutcome> {
  const { store, codec, clock, random } = engine
  const startedAt = clock.now()
  const entryKey: EntryKey = { key, version: policy.version }
  const removal = { kind: 'remove', key: entryKey } as const
  const began = engine.sequence.next()
  if (value === undefined)
    throw new LeaseholdError('UNSERIALIZABLE_VALUE', `undefined cannot be stored; delete ${describeValue(key)} instead`, { key })
  // Without a wait if possible: the value is encoded as it was when it was given.
  let failure: StoreError | undefined
  if (Number.isNaN(store.now(entryKey))) failure = await connected(engine, 'put', entryKey)
  const times = entryTimes(policy, policy.ttlMs, store.now(entryKey), random, 0)
  const tags = { stamp: undefined, names: policy.tags }
  const bytes = reportEncodeError(engine, entryKey, 'set', () => {
    policy.schema?.check(key, value)
    return codec.encode(entryKey, value, times, random.token(), tags)
  })
  if (bytes.length > codec.maxValueBytes) throw tooLarge(key, bytes.length, codec.maxValueBytes)
  const keepMs = times.hardUntil - times.createdAt
  const timeoutMs = engine.options.commandTimeoutMs
  let outcome: SetRecord['outcome'] = 'unknown'
  const stamp = failure ?? (await stampNow(engine, entryKey, keepMs))
  if (Buffer.isBuffer(stamp)) {
    codec.stamp(entryKey, bytes, stamp)
    revokeKeyHere(engine, entryKey)
    const sentAt = clock.now()
    const { journal } = engine.outage
    const { position } = journal
    try {
      const notAfter = store.notAfter(entryKey, timeoutMs)
      const reply: PutReply = await store.put({ ...entryKey, bytes, keepMs, timeoutMs, notAfter })
      outcome = reply === 'late' ? 'unknown' : reply
      if (outcome !== 'unknown') journal.acknowledge(removal, position, clock.now())
      dropCopies(engine, entryKey)
    } catch (error) {
      failure = reportStoreError(engine, 'put', entryKey, error)
      if (failure.outcome === 'not-executed') outcome = deferOrThrow(engine, [removal], failure)
      // A connection may have been lost with the put on its way. Only once the store would refuse it is the call over.
      else await passed(clock, sentAt + timeoutMs + 1)
    }
  } else if (failure !== undefined) outcome = deferOrThrow(engine, [removal], failure)
  else failure = stamp
  // Whatever became of it, the old value must not outlive it.
  if (outcome === 'unknown' && (await invalidateOrDefer(engine, removal, failure)) === 'deferred') outcome = 'deferred'
  if (outcome === 'deferred') keepHere(engine, entryKey, bytes, began, policy.ttlMs)
  if (engine.events.topics.set.heard) {
    engine.events.emit('set', {
      ...recordBase(engine, entryKey),
      outcome,
      bytes: bytes.length,
      payloadBytes: codec.payloadBytes(bytes),
      durationMs: clock.now() - startedAt,
    })
  }
  return outcome === 'deferred' ? 'deferred' : 'applied'
}

/** What this process has set while the store did not answer is what it knows best of the key. */
function keepHere(engine: Engine, key: EntryKey, bytes: Buffer, began: number, ttlMs: number): void {
  const entry = engine.codec.open(key, bytes)
  if (!('unreadable' in entry)) engine.outage.copies.keep(key, entry, began, ttlMs)
}

/** What a value is stamped with that is about to be stored: the namespace record, by a command that is sent now. */
async function stampNow(engine: Engine, key: EntryKey, keepMs: number): Promise<Buffer | StoreError> {
  try {
    return await engine.store.stamp({ keepMs, timeoutMs: engine.options.commandTimeoutMs })
  } catch (error) {
    return reportStoreError(engine, 'stamp', key, error)
  }
}

function passed(clock: Clock, at: number): Promise<void> {
  return new Promise(resolve => void clock.setTimeout(resolve, Math.max(0, at - clock.now())))
}

/** A process that writes as it starts should not be refused because connecting takes longer than a command may. A failed attempt ends the wait. */
async function connected(engine: Engine, command: 'put' | 'remove' | 'expire', key: EntryKey): Promise<StoreError | undefined> {
  try {
    await engine.store.ready(key, Math.max(engine.options.commandTimeoutMs, connectPatienceMs))
  } catch (error) {
    return reportStoreError(engine, command, key, error)
  }
  return undefined
}

/** Deletes the key. When it resolves, no load that began before will answer a later call or be stored. */
function deleteKey(engine: Engine, key: EntryKey, wanted?: WantedReplicas): Promise<WriteOutcome> {
  return runOperation(engine, 'delete', { key: key.key, outcome: undefined }, async () => {
    const { doubts } = engine.outage.journal
    const outcome = await invalidateKey(engine, 'delete', key)
    if (wanted !== undefined && outcome === 'applied') await awaitReplicas(engine, key, wanted, doubts)
    return outcome
  })
}

/** Deletes them all, whatever becomes of one of them. */
export async function deleteKeys(engine: Engine, keys: readonly EntryKey[], options: ReplicaOptions = {}): Promise<WriteOutcome> {
  const wanted = wantedReplicas(options)
  if (wanted !== undefined) checkReplicas(engine, wanted)
  const deleted = await Promise.allSettled(keys.map(key => deleteKey(engine, key, wanted)))
  for (const result of deleted) if (result.status === 'rejected') throw result.reason
  return deleted.some(result => result.status === 'fulfilled' && result.value === 'deferred') ? 'deferred' : 'applied'
}

/** Marks the key stale and revokes any load that is running. */
export function expireKey(engine: Engine, key: EntryKey): Promise<WriteOutcome> {
  return runOperation(engine, 'expire', { key: key.key, outcome: undefined }, () => invalidateKey(engine, 'expire', key))
}

async function invalidateKey(engine: Engine, operation: 'delete' | 'expire', key: EntryKey): Promise<WriteOutcome> {
  const startedAt = engine.clock.now()
  const outcome = await invalidateOrDefer(engine, { kind: operation === 'delete' ? 'remove' : 'expire', key })
  reportInvalidation(engine, key, operation, outcome, startedAt)
  return outcome
}

/** @param earlier What went wrong before, of which this is the sequel. */
async function invalidateOrDefer(engine: Engine, invalidation: KeyInvalidation, earlier?: StoreError): Promise<WriteOutcome> {
  try {
    await invalidate(engine, invalidation, earlier)
    return 'applied'
  } catch (error) {
    if (!isStoreError(error)) throw error
    return deferOrThrow(engine, [invalidation], error)
  }
}

/** @param earlier What went wrong before, of which this is the sequel. */
async function invalidate(engine: Engine, invalidation: KeyInvalidation, earlier?: StoreError): Promise<void> {
  const { kind, key } = invalidation
  if (Number.isNaN(engine.store.now(key))) {
    const unreachable = await connected(engine, kind, key)
    if (unreachable !== undefined) throw earlier ?? unreachable
  }
  const request = { key: key.key, version: key.version, timeoutMs: engine.options.commandTimeoutMs }
  let failure = earlier
  for (let tries = 0; tries < invalidateTries; tries++) {
    revokeKeyHere(engine, key)
    const { journal } = engine.outage
    const { position } = journal
    try {
      await (kind === 'remove' ? engine.store.remove(request) : engine.store.expire(request))
      journal.acknowledge(invalidation, position, engine.clock.now())
      // A read that was on its way meanwhile may have brought the old value.
      dropCopies(engine, key)
      return
    } catch (error) {
      const latest = reportStoreError(engine, kind, key, error)
      // That this try was not executed says nothing about an earlier one.
      if (failure?.outcome !== 'unknown' || latest.outcome === 'unknown') failure = latest
      if (latest.outcome === 'not-executed') break
    }
  }
  throw failure
}

function reportInvalidation(
  engine: Engine,
  key: EntryKey,
  operation: 'delete' | 'expire',
  outcome: WriteOutcome,
  startedAt: number,
): void {
  if (!engine.events.topics.invalidate.heard) return
  engine.events.emit('invalidate', { ...recordBase(engine, key), operation, outcome, durationMs: engine.clock.now() - startedAt })
}

function tooLarge(key: string, bytes: number, most: number): LeaseholdError {
  const message = `the value of ${describeValue(key)} takes ${bytes} bytes encoded, more than maxValueBytes (${most}); split it, or raise the limit`
  return new LeaseholdError('VALUE_TOO_LARGE', message, { key, option: 'maxValueBytes' })
}
