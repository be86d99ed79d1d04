import { decodeValue, openEntry, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { Found } from '../local/header-reads.ts'
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
  return lookUp(engine, key, operation, entry => {
    const value = decodeValue(engine, key, entry)
    if (value === undecodable) return undefined
    const nowMs = engine.store.now(key)
    const fresh = !entry.expired && nowMs < entry.freshUntil
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

/** Whether a fresh, readable entry is stored. The payload is not decoded. */
export async function hasFreshEntry(engine: Engine, key: EntryKey): Promise<boolean> {
  const found = await lookUp(engine, key, 'has', entry => {
    const fresh = !entry.expired && engine.store.now(key) < entry.freshUntil
    return { fresh, bytes: entry.encodedBytes }
  })
  return found?.fresh === true
}

interface LookedUp {
  readonly fresh: boolean
  readonly bytes: number
}

function lookUp<Result extends LookedUp>(
  engine: Engine,
  key: EntryKey,
  operation: 'get' | 'getEntry' | 'has',
  look: (entry: Entry) => Result | undefined,
): Promise<Result | undefined> {
  const lookup: { readonly key: string; outcome: OperationOutcome } = { key: key.key, outcome: undefined }
  return traced(engine.tracer, operation, lookup, async () => {
    const startedAt = engine.events.topics.lookup.heard ? engine.clock.now() : undefined
    const entry = await readStored(engine, key)
    const found = entry === undefined ? undefined : look(entry)
    const outcome = found === undefined ? 'absent' : found.fresh ? 'fresh' : 'stale'
    lookup.outcome = outcome === 'fresh' ? 'hit' : outcome
    if (startedAt !== undefined) {
      const durationMs = engine.clock.now() - startedAt
      engine.events.emit('lookup', { ...recordBase(engine, key), operation, outcome, bytes: found?.bytes ?? 0, durationMs })
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
