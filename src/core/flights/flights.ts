import type { EntryKey } from '../ports.ts'
import type { Flight } from './flight.ts'

/** A key and its version in one string. */
export function keyId(key: EntryKey): string {
  return `${key.version}:${key.key}`
}

/** The open flights of this process, one per key at most. */
export class Flights {
  readonly #byId = new Map<string, Flight>()

  get size(): number {
    return this.#byId.size
  }

  find(key: EntryKey): Flight | undefined {
    return this.#byId.size === 0 ? undefined : this.#byId.get(keyId(key))
  }

  open(id: string, flight: Flight): void {
    this.#byId.set(id, flight)
  }

  close(id: string, flight: Flight): void {
    if (this.#byId.get(id) === flight) this.#byId.delete(id)
  }

  /** This process is about to change the key: a load that is running must not answer calls that come after. */
  revoke(key: EntryKey): void {
    if (this.find(key)?.revoke() === true) this.#byId.delete(keyId(key))
  }
}
