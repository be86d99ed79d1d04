import type { EntryKey } from './ports.ts'
import type { Flight } from './flight.ts'

/** A key and its version in one string. */
export function keyId(key: EntryKey): string {
  return `${key.version}:${key.key}`
}

/** The open flights of this process, one per key at most. */
export class Flights {
  readonly #byId = new Map<string, Flight>()

  get(id: string): Flight | undefined {
    return this.#byId.size === 0 ? undefined : this.#byId.get(id)
  }

  open(id: string, flight: Flight): void {
    this.#byId.set(id, flight)
  }

  close(id: string, flight: Flight): void {
    if (this.#byId.get(id) === flight) this.#byId.delete(id)
  }

  /** This process is about to change the key: a load that is running must not answer calls that come after. */
  revoke(id: string): void {
    const flight = this.get(id)
    if (flight === undefined) return
    flight.revoke()
    if (flight.revoked) this.#byId.delete(id)
  }
}
