import { isFresh } from './decide.ts'
import type { LookupRecord } from '../events.ts'
import { runOperation } from './operation.ts'
import { decodeValue, openEntry, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { Found } from '../local/header-reads.ts'
import { copiedValue, copyOf } from '../local/answer-with-copy.ts'
import { fillCopy, positionOf } from '../local/fill-copy.ts'
import type { LocalCopy } from '../local/local-tier.ts'
import type { Entry, EntryKey } from '../ports.ts'
import { traced, type OperationOutcome } from '../tracer.ts'
import { verdictOn } from '../tags/tag-check.ts'

/** What is stored for a key, with its age. */
export interface CachedEntry<Value> {
  readonly value: Value
  /** False once past its ttl, while it is kept for `staleWhileRevalidate` or `staleIfError`, and after `expire`. */
  readonly fresh: boolean
  /** Since it was stored, in ms. */
  readonly ageMs: number
  /** Until it stops being fresh, in ms; 0 when it is stale. */
  readonly freshForMs: number
  /** Until the store drops it, in ms. */
  readonly remainingMs: number
  /** How long its load took, in ms; 0 for a value stored by `set`. */
  readonly loadMs: number
  /** Encoded, header included. */
  readonly bytes: number
}

/** Reads what is stored, fresh or stale, and loads nothing. A store that fails is reported and looks empty. */
export function readCachedEntry(
  engine: Engine,
  key: EntryKey,
  operation: 'get' | 'getEntry',
): Promise<CachedEntry<unknown> | undefined> {
  const copy = copyOf(engine, key)
  const held = copy === undefined ? undecodable : copiedValue(engine, key.key, copy)
  if (copy !== undefined && held !== undecodable) return answerByCopy(engine, key, operation, copy, entryOf(engine, copy, held))
  return lookUp(engine, key, operation, (entry, position) => {
    const value = decodeValue(engine, key, entry)
    if (value === undecodable) return undefined
    const nowMs = engine.store.now(key)
    const fresh = isFresh(entry, nowMs)
    if (fresh) fillCopy(engine, key, entry, engine.options.policy.tags, position, nowMs)
    return {
      value,
      fresh,
      ageMs: Math.max(0, nowMs - entry.createdAt),
      freshForMs: fresh ? entry.freshUntil - nowMs : 0,
      remainingMs: Math.max(0, entry.hardUntil - nowMs),
      loadMs: entry.loadMs,
      bytes: entry.encodedBytes,
    }
  })
}

function entryOf({ clock }: Engine, copy: LocalCopy, value: unknown): CachedEntry<unknown> {
  const now = clock.now()
  return {
    value,
    fresh: true,
    ageMs: Math.max(0, now - copy.createdAt),
    freshForMs: Math.max(0, copy.freshUntil - now),
    remainingMs: Math.max(0, copy.hardUntil - now),
    loadMs: copy.loadMs,
    bytes: copy.entryBytes,
  }
}

/** Whether a fresh, readable entry is stored. The payload is not decoded. */
export async function hasFreshEntry(engine: Engine, key: EntryKey): Promise<boolean> {
  const copy = copyOf(engine, key)
  if (copy !== undefined) return answerByCopy(engine, key, 'has', copy, true)
  const found = await lookUp(engine, key, 'has', entry => ({
    fresh: isFresh(entry, engine.store.now(key)),
    bytes: entry.encodedBytes,
  }))
  return found?.fresh === true
}

/** Answers by a copy in this process. */
function answerByCopy<Result>(
  engine: Engine,
  key: EntryKey,
  operation: LookupRecord['operation'],
  { kept }: LocalCopy,
  result: Result,
): Promise<Result> {
  return traced(engine.tracer, operation, { key: key.key, outcome: 'hit' }, async () => {
    if (engine.events.topics.lookup.heard) {
      const record = { operation, outcome: 'fresh', from: 'local', bytes: kept.bytes, durationMs: 0 } as const
      engine.events.emit('lookup', { ...recordBase(engine, key), ...record })
    }
    return result
  })
}

interface LookedUp {
  readonly fresh: boolean
  readonly bytes: number
}

function lookUp<Result extends LookedUp>(
  engine: Engine,
  key: EntryKey,
  operation: 'get' | 'getEntry' | 'has',
  look: (entry: Entry, position: number) => Result | undefined,
): Promise<Result | undefined> {
  const lookup: { readonly key: string; outcome: OperationOutcome } = { key: key.key, outcome: undefined }
  return runOperation(engine, operation, lookup, async () => {
    const startedAt = engine.events.topics.lookup.heard ? engine.clock.now() : undefined
    const position = positionOf(engine)
    const entry = await readStored(engine, key)
    const found = entry === undefined ? undefined : look(entry, position)
    const outcome = found === undefined ? 'absent' : found.fresh ? 'fresh' : 'stale'
    lookup.outcome = outcome === 'fresh' ? 'hit' : outcome
    if (startedAt !== undefined) {
      const durationMs = engine.clock.now() - startedAt
      const bytes = found?.bytes ?? 0
      engine.events.emit('lookup', { ...recordBase(engine, key), operation, outcome, from: 'store', bytes, durationMs })
    }
    return found
  })
}

async function readStored(engine: Engine, key: EntryKey): Promise<Entry | undefined> {
  const { journal } = engine.outage
  const { doubts } = journal
  const askedAt = engine.sequence.next()
  if (journal.blocks(key) || engine.rollout?.takes(key.key) === false) return undefined
  let found: Found
  try {
    found = await engine.reads.read(key, engine.options.commandTimeoutMs)
  } catch (error) {
    reportStoreError(engine, 'read', key, error)
    return undefined
  }
  const record = engine.store.namespaceRecord
  if (found === null || journal.doubts !== doubts) return undefined
  const entry = openEntry(engine, key, found)
  if ('unreadable' in entry) return undefined
  const { policy, commandTimeoutMs } = engine.options
  const verdict = await verdictOn(engine, key, entry, record, policy.tags, commandTimeoutMs, askedAt)
  return verdict === 'valid' ? entry : undefined
}
