import { BatchAnswers } from './batch-answers.ts'
import { Call } from './call.ts'
import { decodeValue, openEntry, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { LoadBatch } from '../flights/load-batch.ts'
import type { Loader } from '../flights/loader-context.ts'
import { getOrSet } from './get-or-set.ts'
import type { Policy } from '../options/options.ts'
import type { EntryKey, StoredBytes } from '../ports.ts'
import { readEach } from './read-each.ts'
import { absent, answerFromStore } from './read-through.ts'

/** How the keys of a batch are loaded: all with one batch, or each with a loader of its own. */
export type BatchLoading =
  | { readonly batch: LoadBatch; readonly loaderOf?: undefined }
  | { readonly batch?: undefined; readonly loaderOf: (key: string) => Loader<unknown> }

/** Reads fresh values and loads nothing: `undefined` where there is none, and where the store failed. */
export async function readMany(engine: Engine, keys: readonly string[], policy: Policy): Promise<unknown[]> {
  const { version } = policy
  const answers = new BatchAnswers(keys)
  const startedAt = engine.clock.now()
  const distinct = Array.from(new Set(keys), key => ({ key, version }))
  await readEach(engine, distinct, (key, found) => {
    const value = freshValue(engine, key, found)
    if (value !== undecodable) answers.answer(key.key, value)
    reportLookup(engine, key, value === undecodable ? 0 : (found as Buffer).length, startedAt)
  })
  return answers.values()
}

function freshValue(engine: Engine, key: EntryKey, found: StoredBytes): unknown {
  if (found === null) return undecodable
  if (!Buffer.isBuffer(found)) {
    reportStoreError(engine, 'read', key, found)
    return undecodable
  }
  const entry = openEntry(engine, key, found)
  if ('unreadable' in entry || entry.expired || engine.store.now(key) >= entry.freshUntil) return undecodable
  return decodeValue(engine, key, entry)
}

function reportLookup(engine: Engine, key: EntryKey, bytes: number, startedAt: number): void {
  if (!engine.events.topics.lookup.heard) return
  const outcome = bytes === 0 ? 'absent' : 'fresh'
  const durationMs = engine.clock.now() - startedAt
  engine.events.emit('lookup', { ...recordBase(engine, key), operation: 'getMany', outcome, bytes, durationMs })
}

/**
 * Answers every key as {@link getOrSet} would. Those that stand in the store are read together; each of the others is a flight of its own, and the flights share
 * one load.
 */
export async function getOrSetMany(
  engine: Engine,
  keys: readonly string[],
  policy: Policy,
  { batch, loaderOf }: BatchLoading,
): Promise<BatchAnswers> {
  const answers = new BatchAnswers(keys)
  engine.pending.enter()
  // Keeps the load from leaving while its keys still set out.
  const departure = batch?.expect(false)
  const answer = async (call: Call, hasRead: boolean): Promise<void> => {
    try {
      answers.answer(call.key, await getOrSet(engine, call, hasRead))
    } catch (error) {
      answers.fail(call.key, error)
    }
  }
  try {
    policy.signal?.throwIfAborted()
    const calls = Array.from(
      new Set(keys),
      key => new Call(engine, key, batch === undefined ? loaderOf(key) : batch.loader, policy, batch),
    )
    // An open flight is joined unread, and a forced call reads nothing.
    const unread = new Set(calls.filter(call => policy.forceFresh || engine.flights.find(call) !== undefined))
    const joined = Array.from(unread, call => answer(call, false))
    const missing = await readCalls(engine, unread.size === 0 ? calls : calls.filter(call => !unread.has(call)), answers)
    const read = missing.map(call => answer(call, true))
    departure?.settle()
    await Promise.all([...joined, ...read])
    return answers
  } finally {
    departure?.settle()
    engine.pending.leave()
  }
}

/** Answers the calls that the store has an answer for, and returns the others. */
async function readCalls(engine: Engine, calls: readonly Call[], answers: BatchAnswers): Promise<readonly Call[]> {
  const missing: Call[] = []
  await readEach(engine, calls, (call, found, readMs) => {
    let bytes: Buffer | null = null
    if (found === null || Buffer.isBuffer(found)) bytes = found
    else {
      reportStoreError(engine, 'read', call, found)
      call.storeFailed = true
    }
    const value = answerFromStore(engine, call, bytes)
    if (value !== absent) return answers.answer(call.key, value)
    call.budget(engine).charge(readMs)
    missing.push(call)
  })
  return missing
}
