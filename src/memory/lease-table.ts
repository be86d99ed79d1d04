import type { Token } from '../core/ports.ts'

/** What stands at a key's lease: held by a token, or a marker that nobody holds. */
export type LeaseState =
  | { readonly kind: 'held'; readonly token: Token; readonly mode: 'plain' | 'waited' | 'do-not-queue' }
  | { readonly kind: 'do-not-queue' }
  | { readonly kind: 'cooldown'; readonly errorCode: string }

export interface Lease {
  readonly state: LeaseState
  readonly expiresAt: number
}

const maxLeases = 100_000
const sweptPerWrite = 8

/** Leases and markers with a lifetime. None is ever evicted, since each fences a load. */
export class LeaseTable {
  readonly #leases = new Map<string, Lease>()
  #sweep = this.#leases.entries()

  get size(): number {
    return this.#leases.size
  }

  get(id: string, now: number): Lease | undefined {
    const lease = this.#leases.get(id)
    if (lease === undefined || now < lease.expiresAt) return lease
    this.#leases.delete(id)
    return undefined
  }

  /** False, and nothing changed, when there are too many leases to keep another. */
  set(id: string, state: LeaseState, lifeMs: number, now: number): boolean {
    this.#sweepSome(now)
    if (this.#leases.size >= maxLeases && !this.#leases.has(id)) return false
    this.#leases.set(id, { state, expiresAt: now + Math.max(1, Math.ceil(lifeMs)) })
    return true
  }

  /** Another state, with the time that is left. */
  restate(id: string, lease: Lease, state: LeaseState): void {
    this.#leases.set(id, { state, expiresAt: lease.expiresAt })
  }

  delete(id: string): void {
    this.#leases.delete(id)
  }

  #sweepSome(now: number): void {
    for (let left = sweptPerWrite; left > 0; left--) {
      const step = this.#sweep.next()
      if (step.done === true) {
        this.#sweep = this.#leases.entries()
        return
      }
      const [id, lease] = step.value
      if (now >= lease.expiresAt) this.#leases.delete(id)
    }
  }
}
