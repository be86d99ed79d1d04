import type { RenewalRecord } from '../events.ts'
import type { Clock, EntryKey, Store, Timer, Token } from '../ports.ts'
import type { EventLoopDelay } from './event-loop-delay.ts'

/** A lease that this process holds and renews. */
export interface Lease {
  readonly key: EntryKey
  readonly token: Token
  readonly leaseMs: number
  readonly grantedAt: number
  /** Called once when the store says that the lease is definitely not ours any more. */
  readonly onLost: () => void
  renewAt: number
}

/** Renews every held lease from one timer, every third of its length. */
export class LeaseKeeper {
  readonly #store: Store
  readonly #clock: Clock
  readonly #delay: EventLoopDelay
  readonly #onError: (key: EntryKey, error: unknown) => void
  readonly #onRenewal: (key: EntryKey, outcome: RenewalRecord['outcome']) => void
  readonly #held = new Set<Lease>()
  #timer: { readonly timer: Timer; readonly dueAt: number } | undefined

  constructor(
    store: Store,
    clock: Clock,
    delay: EventLoopDelay,
    onError: (key: EntryKey, error: unknown) => void,
    onRenewal: (key: EntryKey, outcome: RenewalRecord['outcome']) => void = () => {},
  ) {
    this.#store = store
    this.#clock = clock
    this.#delay = delay
    this.#onError = onError
    this.#onRenewal = onRenewal
  }

  /** How many leases are held. */
  get held(): number {
    return this.#held.size
  }

  hold(key: EntryKey, token: Token, leaseMs: number, onLost: () => void): Lease {
    const now = this.#clock.now()
    const lease: Lease = { key, token, leaseMs, grantedAt: now, onLost, renewAt: now + leaseMs / 3 }
    this.#held.add(lease)
    this.#wakeAt(lease.renewAt)
    return lease
  }

  /** Stops renewing. The lease itself is ended by a commit or a release. */
  drop(lease: Lease): void {
    if (!this.#forget(lease)) return
    const now = this.#clock.now()
    // A loader that kept the event loop busy leaves its renewal no turn to be late in.
    if (now > lease.renewAt) this.#delay.observe(now - lease.renewAt, now)
  }

  /** Says whether it was held. With the last lease goes the timer. */
  #forget(lease: Lease): boolean {
    const held = this.#held.delete(lease)
    if (this.#held.size === 0 && this.#timer !== undefined) {
      this.#clock.clearTimeout(this.#timer.timer)
      this.#timer = undefined
    }
    return held
  }

  #wakeAt(dueAt: number): void {
    if (this.#timer !== undefined && this.#timer.dueAt <= dueAt) return
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer.timer)
    const timer = this.#clock.setTimeout(() => this.#renewDue(), dueAt - this.#clock.now())
    this.#clock.unref(timer)
    this.#timer = { timer, dueAt }
  }

  #renewDue(): void {
    const now = this.#clock.now()
    if (this.#timer !== undefined) this.#delay.observe(now - this.#timer.dueAt, now)
    this.#timer = undefined
    let dueAt = Infinity
    for (const lease of this.#held) {
      if (lease.renewAt <= now) {
        lease.renewAt = now + lease.leaseMs / 3
        void this.#renew(lease)
      }
      dueAt = Math.min(dueAt, lease.renewAt)
    }
    if (dueAt !== Infinity) this.#wakeAt(dueAt)
  }

  async #renew(lease: Lease): Promise<void> {
    const { key, token, leaseMs } = lease
    try {
      const held = await this.#store.renew({ key: key.key, version: key.version, token, leaseMs, timeoutMs: leaseMs / 3 })
      if (held) return this.#onRenewal(key, 'renewed')
      // Ended by our own commit or release meanwhile: no loss.
      if (!this.#forget(lease)) return
      this.#onRenewal(key, 'lost')
      lease.onLost()
    } catch (error) {
      this.#onRenewal(key, 'unknown')
      this.#onError(key, error)
    }
  }
}
