import type { Engine } from '../engine.ts'
import type { Invalidation } from '../outage/invalidation.ts'
import type { EntryKey } from '../ports.ts'

/** This process is about to invalidate something: nothing of it that it loads or keeps now may answer calls that come after. */
export function revokeHere(engine: Engine, invalidation: Invalidation): void {
  switch (invalidation.kind) {
    case 'remove':
    case 'expire':
      return revokeKeyHere(engine, invalidation.key)
    case 'tag':
      return revokeTagsHere(engine, [invalidation.tag])
    case 'clear':
      return revokeAllHere(engine)
  }
}

export function revokeKeyHere(engine: Engine, key: EntryKey): void {
  dropCopies(engine, key)
  // The store revokes the neighbouring versions too.
  for (const version of [key.version - 1, key.version, key.version + 1]) {
    const neighbour = { key: key.key, version }
    engine.flights.revoke(neighbour)
    engine.forcedFlights.revoke(neighbour)
    engine.outage.copies.revoke(neighbour)
  }
}

/** Loads and copies are asked for their tags when they are to answer. */
export function revokeTagsHere(engine: Engine, tags: readonly string[]): void {
  engine.ownInvalidations.noteTags(tags)
  engine.local?.changeTags(tags)
}

export function revokeAllHere(engine: Engine): void {
  engine.ownInvalidations.noteClear()
  engine.outage.copies.revokeAll()
  engine.local?.changeAll()
}

/** No copy of the key answers any more, nor does one that is on its way. To be done before the store is told, and again when it has answered. */
export function dropCopies({ local }: Engine, { key, version }: EntryKey): void {
  if (local === undefined) return
  // The store changes the neighbouring versions too.
  for (const each of [version - 1, version, version + 1]) local.change({ key, version: each })
}
