import { decodeValue, openEntry, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { Entry, EntryKey } from '../ports.ts'

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
export async function readCachedEntry(engine: Engine, key: EntryKey): Promise<CachedEntry<unknown> | undefined> {
  const entry = await readStored(engine, key)
  if (entry === undefined) return undefined
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
    bytes: entry.bytes.length,
  }
}

/** Whether a fresh, readable entry is stored. The payload is not decoded. */
export async function hasFreshEntry(engine: Engine, key: EntryKey): Promise<boolean> {
  const entry = await readStored(engine, key)
  return entry !== undefined && !entry.expired && engine.store.now(key) < entry.freshUntil
}

async function readStored(engine: Engine, key: EntryKey): Promise<Entry | undefined> {
  let bytes: Buffer | null
  try {
    bytes = await engine.store.read(key, engine.options.commandTimeoutMs)
  } catch (error) {
    reportStoreError(engine, 'read', key, error)
    return undefined
  }
  if (bytes === null) return undefined
  const entry = openEntry(engine, key, bytes)
  return 'unreadable' in entry ? undefined : entry
}
