import type { Clock, Timer } from '../ports.ts'

const pollFirstMs = 25
const pollLongestMs = 250
/** A lease that is said to last longer, whoever made it so, is looked at again. */
const longestWaitMs = 60_000

/** One flight's ear for the end of a lease. Registered before the acquire is sent, since the wake-up may overtake its reply. */
export class Waiter {
  readonly #waiters: Waiters
  readonly #wakeId: string
  #woken = false
  #wake: (() => void) | undefined

  constructor(waiters: Waiters, wakeId: string) {
    this.#waiters = waiters
    this.#wakeId = wakeId
  }

  /** Resolves when the lease ends, after `timeoutMs`, or when `signal` aborts, whichever is first. */
  wait(clock: Clock, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#woken || signal.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const wake = (): void => this.wake()
      const timer: Timer = clock.setTimeout(wake, timeoutMs)
      signal.addEventListener('abort', wake, { once: true })
      this.#wake = () => {
        clock.clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        resolve()
      }
    })
  }

  wake(): void {
    this.#woken = true
    this.#wake?.()
    this.#wake = undefined
  }

  close(): void {
    this.#waiters.forget(this.#wakeId, this)
  }
}

/** Who in this process waits for which lease. */
export class Waiters {
  readonly #byWakeId = new Map<string, Set<Waiter>>()
  #busLive = true

  /** How many leases somebody waits for. */
  get leases(): number {
    return this.#byWakeId.size
  }

  register(wakeId: string): Waiter {
    const waiter = new Waiter(this, wakeId)
    const waiters = this.#byWakeId.get(wakeId)
    if (waiters === undefined) this.#byWakeId.set(wakeId, new Set([waiter]))
    else waiters.add(waiter)
    return waiter
  }

  forget(wakeId: string, waiter: Waiter): void {
    const waiters = this.#byWakeId.get(wakeId)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#byWakeId.delete(wakeId)
  }

  wake(wakeId: string): void {
    for (const waiter of this.#byWakeId.get(wakeId) ?? []) waiter.wake()
  }

  /** Wake-ups may have been lost while the bus was down, so its return wakes everyone to look again. */
  setBus(live: boolean): void {
    this.#busLive = live
    for (const waiters of this.#byWakeId.values()) for (const waiter of waiters) waiter.wake()
  }

  /** How long the `round`th wait lasts at most: to the end of the lease, or less while only polling can tell that it ended. */
  patience(remainingMs: number, jitterMs: number, round: number): number {
    const leaseEndMs = Math.min(longestWaitMs, Math.max(0, remainingMs)) + jitterMs
    if (this.#busLive) return leaseEndMs
    return Math.min(leaseEndMs, Math.min(pollLongestMs, pollFirstMs * 2 ** Math.min(round, 10)))
  }
}
