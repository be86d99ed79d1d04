import type { StoreError } from '../core/errors.ts'
import type { Clock, Confirmation } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import { commandFailure } from './failures.ts'
import { runScript } from './script-runner.ts'
import { mark } from './scripts.gen.ts'

/** A `WAIT` blocks its connection, which is to be asked for its upkeep too, and by those who come meanwhile. */
const sliceMs = 100
/** How much later than the server an asker gives up by himself. */
const graceMs = 100

interface Asker {
  readonly replicas: number
  readonly endsAt: number
  readonly settle: (failure?: StoreError) => void
  /** Whether something has been written since it asked. */
  marked: boolean
  confirmed: number
  attached: number | undefined
}

/**
 * Finds out whether replicas have what one server acknowledged, on a connection of its own: a mark is written, and replicas that have it have all that was
 * acknowledged before. All who wait share the marks and the waiting.
 */
export class ReplicaConfirmation {
  readonly #clock: Clock
  readonly #connect: () => Connection
  readonly #askers = new Set<Asker>()
  #connection: Connection | undefined
  #asking = false

  constructor(clock: Clock, connect: () => Connection) {
    this.#clock = clock
    this.#connect = connect
  }

  /** @param markKey A key that the server has, and nobody else uses. */
  confirm(markKey: string, replicas: number, timeoutMs: number): Promise<Confirmation> {
    return new Promise(resolve => {
      const timer = this.#clock.setTimeout(() => asker.settle(), timeoutMs + graceMs)
      const asker: Asker = {
        replicas,
        endsAt: this.#clock.now() + timeoutMs,
        marked: false,
        confirmed: 0,
        attached: undefined,
        settle: failure => {
          if (!this.#askers.delete(asker)) return
          this.#clock.clearTimeout(timer)
          const { confirmed, attached } = asker
          resolve({ confirmed, attached, failure })
        },
      }
      this.#askers.add(asker)
      if (!this.#asking) void this.#ask(markKey)
    })
  }

  async close(): Promise<void> {
    for (const { settle } of this.#askers) settle()
    await this.#connection?.close()
  }

  async #ask(markKey: string): Promise<void> {
    this.#asking = true
    try {
      const connection = (this.#connection ??= this.#connect())
      await connection.firstAttempt
      while (this.#askers.size > 0) {
        if (!connection.usable) throw connection.fault
        await this.#round(connection, markKey)
      }
    } catch (error) {
      const failure = commandFailure('a wait for replicas', error)
      for (const { settle } of this.#askers) settle(failure)
    } finally {
      this.#asking = false
    }
  }

  async #round({ redis }: Connection, markKey: string): Promise<void> {
    const asking = [...this.#askers]
    if (asking.some(({ marked }) => !marked)) await runScript(redis, mark, [markKey], [])
    // Asked first: the wait may take longer than an asker has.
    const attached = replicasIn(await redis.call('ROLE'))
    for (const asker of asking) asker.attached = attached
    const fewest = Math.min(...asking.map(({ replicas }) => replicas))
    const leftMs = Math.max(...asking.map(({ endsAt }) => endsAt)) - this.#clock.now()
    const confirmed = Number(await redis.call('WAIT', fewest, Math.ceil(Math.max(1, Math.min(sliceMs, leftMs)))))
    const now = this.#clock.now()
    for (const asker of asking) {
      asker.marked = true
      asker.confirmed = confirmed
      if (confirmed >= asker.replicas || now >= asker.endsAt) asker.settle()
    }
  }
}

/** How many replicas are connected to a server, by what it says of its role. */
function replicasIn(role: unknown): number | undefined {
  return Array.isArray(role) && Array.isArray(role[2]) ? role[2].length : undefined
}
