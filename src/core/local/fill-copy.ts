import type { Engine } from '../engine.ts'
import type { Entry, EntryKey } from '../ports.ts'
import { unionOf } from '../tags/check-tags.ts'

/** What the local tier has heard until now: to be taken before the store is asked for what may be kept. */
export function positionOf({ local }: Engine): number {
  return local === undefined ? 0 : local.position
}

/**
 * Keeps a copy of what the store has just answered, if there is a local tier. Only of what is fresh, valid and readable.
 *
 * @param named The tags that the reader named.
 */
export function fillCopy(
  { local }: Engine,
  key: EntryKey,
  entry: Entry,
  named: readonly string[],
  askedAt: number,
  storeNow: number,
): void {
  local?.remember(key, entry, unionOf(named, entry.tags), askedAt, storeNow)
}
