import type { Engine } from '../engine.ts'
import type { EntryKey } from '../ports.ts'

/** This process is about to change the key: nothing that it loads or keeps now may answer calls that come after. */
export function revokeHere(engine: Engine, key: EntryKey): void {
  engine.local?.change(key.key)
  // The store revokes the neighbouring versions too.
  for (const version of [key.version - 1, key.version, key.version + 1]) {
    const neighbour = { key: key.key, version }
    engine.flights.revoke(neighbour)
    engine.forcedFlights.revoke(neighbour)
    engine.outage.copies.revoke(neighbour)
  }
}
