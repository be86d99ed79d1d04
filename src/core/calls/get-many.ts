import { absent } from './absent.ts'
import { BatchAnswers } from './batch-answers.ts'
import { Call } from './call.ts'
import { isFresh } from './decide.ts'
import { decodeValue, openEntry, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { StoreError } from '../errors.ts'
import type { LookupRecord } from '../events.ts'
import type { LoadBatch } from '../flights/load-batch.ts'
import type { Loader } from '../flights/loader-context.ts'
import { answerCall } from './get-or-set.ts'
import { copiedValue, copyOf, reportCopyHit } from '../local/answer-with-copy.ts'
import { fillCopy, positionOf } from '../local/fill-copy.ts'
import { isFound, type Found } from '../local/header-reads.ts'
import { answerFromCopy } from '../outage/answer-from-copy.ts'
import type { Policy } from '../options/options.ts'
import type { Entry, EntryKey } from '../ports.ts'
import { runOperation } from './operation.ts'
import { readEach } from './read-each.ts'
import { isDeferred, verdictOn } from '../tags/tag-check.ts'
import { answerFromStore, answerTagged, undecided } from './read-through.ts'

/** How the keys of a batch are loaded: all with one batch, or each with a loader of its own. */
export type BatchLoading =
  | { readonly batch: LoadBatch; readonly loaderOf?: undefined }
  | { readonly batch?: undefined; readonly loaderOf: (key: string) => Loader<unknown> }

/** Reads fresh values and loads nothing: `undefined` where there is none, and where the store failed. */
export function readMany(engine: Engine, keys: readonly string[], policy: Policy): Promise<unknown[]> {
  return runOperation(engine, 'getMany', { keys: keys.length, outcome: undefined }, () => readEveryKey(engine, keys, policy))
}

async function readEveryKey(engine: Engine, keys: readonly string[], policy: Policy): Promise<unknown[]> {
  const answers = new BatchAnswers(keys)
  const startedAt = engine.clock.now()
  const askedAt = engine.sequence.next()
  const position = positionOf(engine)
  const { version } = policy
  const toRead =
    engine.local === undefined
      ? undefined
      : without(keys, (key, place) => {
          const copy = copyOf(engine, { key, version }, policy.tags)
          const value = copy === undefined ? undecodable : copiedValue(engine, key, copy)
          if (copy === undefined || value === undecodable) return false
          answers.answer(place, value)
          reportLookup(engine, { key, version }, 'local', copy.kept.bytes, startedAt)
          return true
        })
  const reading = toRead?.keys ?? keys
  const believes = engine.outage.journal.observe(reading, version)
  const checks: Promise<void>[] = []
  await readEach(engine, reading, version, (key, found, index, record) => {
    const entry = believes(key) && engine.rollout?.takes(key.key) !== false ? freshEntry(engine, key, found) : undefined
    const answer = (valid: boolean): void => {
      const value = valid && entry !== undefined ? decodeValue(engine, key, entry) : undecodable
      if (value !== undecodable) {
        answers.answer(toRead?.places[index] ?? index, value)
        if (engine.local !== undefined && entry !== undefined)
          fillCopy(engine, key, entry, policy.tags, position, engine.store.now(key))
      }
      reportLookup(engine, key, 'store', value === undecodable ? 0 : (entry?.encodedBytes ?? 0), startedAt)
    }
    if (entry === undefined) return answer(false)
    if (isDeferred(engine, entry, policy.tags, askedAt)) return answer(false)
    const standing = entry.standing(record, policy.tags.length > 0)
    if (standing !== 'moved') return answer(standing === 'valid')
    const { commandTimeoutMs } = engine.options
    // Those of one tick are looked up together.
    const verdict = verdictOn(engine, key, entry, record, policy.tags, commandTimeoutMs, askedAt)
    checks.push(verdict.then(known => answer(known === 'valid')))
  })
  await Promise.all(checks)
  return answers.values()
}

function freshEntry(engine: Engine, key: EntryKey, found: Found | StoreError): Entry | undefined {
  if (found === null) return undefined
  if (!isFound(found)) {
    reportStoreError(engine, 'read', key, found)
    return undefined
  }
  const entry = openEntry(engine, key, found)
  return 'unreadable' in entry || !isFresh(entry, engine.store.now(key)) ? undefined : entry
}

function reportLookup(engine: Engine, key: EntryKey, from: LookupRecord['from'], bytes: number, startedAt: number): void {
  if (!engine.events.topics.lookup.heard) return
  const outcome = bytes === 0 ? 'absent' : 'fresh'
  const durationMs = engine.clock.now() - startedAt
  engine.events.emit('lookup', { ...recordBase(engine, key), operation: 'getMany', outcome, from, bytes, durationMs })
}

/**
 * Answers every key as {@link getOrSet} would. Those that stand in the store are read together; each of the others is a flight of its own, and the flights share
 * one load.
 *
 * @param conclude Makes the operation's result of the answers, or throws.
 */
export function getOrSetMany<Result>(
  engine: Engine,
  keys: readonly string[],
  policy: Policy,
  loading: BatchLoading,
  conclude: (answers: BatchAnswers) => Result,
): Promise<Result> {
  const operation: { readonly keys: number; failedKeys?: number; readonly outcome: undefined } = {
    keys: keys.length,
    outcome: undefined,
  }
  return runOperation(engine, 'getOrSetMany', operation, async () => {
    const answers = await answerEveryKey(engine, keys, policy, loading)
    operation.failedKeys = answers.failedKeys
    return conclude(answers)
  })
}

async function answerEveryKey(
  engine: Engine,
  keys: readonly string[],
  policy: Policy,
  { batch, loaderOf }: BatchLoading,
): Promise<BatchAnswers> {
  // Keeps the load from leaving while its keys still set out.
  const departure = batch?.expect(false)
  try {
    policy.signal?.throwIfAborted()
    const answers = new BatchAnswers(keys)
    const began = { began: engine.sequence.next(), startedAt: engine.clock.now(), askedAt: positionOf(engine) }
    const callFor = (key: string): Call =>
      new Call(engine, key, batch === undefined ? loaderOf(key) : batch.loader, policy, batch, began)
    const unread = new UnansweredCalls()
    const toRead = findUnread(engine, keys, policy, answers, (key, place) => unread.add(key, place, () => callFor(key)))
    const joined = unread.answer(engine, answers, false)
    const missing = new UnansweredCalls()
    const reading = toRead?.keys ?? keys
    const { journal, copies } = engine.outage
    const believes = journal.observe(reading, policy.version)
    const checks: Promise<void>[] = []
    await readEach(engine, reading, policy.version, ({ key }, found, index, record, readMs) => {
      const call = callFor(key)
      const believed = believedOf(engine, call, found, believes(call))
      const place = toRead?.places[index] ?? index
      const settle = (value: unknown): void => {
        if (value !== absent) return answers.answer(place, value)
        missing.add(key, place, () => {
          call.budget(engine).charge(readMs)
          return call
        })
      }
      const value = call.storeFailed ? answerFromCopy(engine, call) : answerFromStore(engine, call, believed, record)
      if (copies.size !== 0 && !call.storeFailed) copies.drop(call)
      // Those of one tick are looked up together.
      if (value === undecided) checks.push(answerTagged(engine, call, undefined).then(settle))
      else settle(value)
    })
    await Promise.all(checks)
    const loaded = missing.answer(engine, answers, true)
    departure?.settle()
    await Promise.all([...joined, ...loaded])
    return answers
  } finally {
    departure?.settle()
  }
}

/** Calls that the store has not answered, each with the places of its key. */
class UnansweredCalls {
  readonly #byKey = new Map<string, { readonly call: Call; readonly places: number[] }>()

  add(key: string, place: number, make: () => Call): void {
    const known = this.#byKey.get(key)
    if (known === undefined) this.#byKey.set(key, { call: make(), places: [place] })
    else known.places.push(place)
  }

  answer(engine: Engine, answers: BatchAnswers, hasRead: boolean): Promise<void>[] {
    return Array.from(this.#byKey.values(), async ({ call, places }) => {
      try {
        const value = await answerCall(engine, call, hasRead)
        for (const place of places) answers.answer(place, value)
      } catch (error) {
        answers.fail(call.key, error)
      }
    })
  }
}

/** Answers what copies can. An open flight is joined unread, and a forced call reads nothing. Returns what is to be read, undefined for all of it. */
function findUnread(
  engine: Engine,
  keys: readonly string[],
  policy: Policy,
  answers: BatchAnswers,
  onUnread: (key: string, place: number) => void,
): KeysToRead | undefined {
  const { flights, rollout, local } = engine
  const { forceFresh, version } = policy
  if (!forceFresh && flights.size === 0 && rollout === undefined && local === undefined) return undefined
  return without(keys, (key, place) => {
    if (!forceFresh && local !== undefined && answerByCopy(engine, key, place, policy, answers)) return true
    if (!forceFresh && rollout?.takes(key) !== false && flights.find({ key, version }) === undefined) return false
    onUnread(key, place)
    return true
  })
}

function answerByCopy(engine: Engine, key: string, place: number, policy: Policy, answers: BatchAnswers): boolean {
  const copy = copyOf(engine, { key, version: policy.version }, policy.tags)
  const value = copy === undefined ? undecodable : copiedValue(engine, key, copy, policy.schema)
  if (copy === undefined || value === undecodable) return false
  answers.answer(place, value)
  reportCopyHit(engine, key, copy, policy.resource)
  return true
}

/** Keys of a batch that are left to be read, and their places in it. */
interface KeysToRead {
  readonly keys: readonly string[]
  readonly places: readonly number[]
}

function without(keys: readonly string[], isDone: (key: string, place: number) => boolean): KeysToRead {
  const left: string[] = []
  const places: number[] = []
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place] as string
    if (isDone(key, place)) continue
    left.push(key)
    places.push(place)
  }
  return { keys: left, places }
}

function believedOf(engine: Engine, call: Call, found: Found | StoreError, believed: boolean): Found {
  if (believed && isFound(found)) return found
  if (!isFound(found)) reportStoreError(engine, 'read', call, found)
  call.storeFailed = true
  return null
}
