import { StoreError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import { shed } from './breaker.ts'
import { withDeadline } from './deadline.ts'
import { notConnected } from './failures.ts'
import type { NamespaceRecord } from './namespace-record.ts'
import { reach, sendRouted } from './routed-command.ts'
import type { Router } from './router.ts'
import { runScript } from './script-runner.ts'
import type { Script, ScriptArgument } from './script.ts'

/** Sends commands to the server that has a slot, each within its deadline, until it is closed. */
export class SlotCommands {
  readonly router: Router
  readonly clock: Clock
  #closed = false

  constructor(router: Router, clock: Clock) {
    this.router = router
    this.clock = clock
  }

  get closed(): boolean {
    return this.#closed
  }

  close(): void {
    this.#closed = true
  }

  /**
   * @param along Read in the same trip.
   * @param batch Of whole entries, or of their headers.
   */
  read(
    slot: number,
    key: string,
    timeoutMs: number,
    along?: NamespaceRecord,
    batch: 'batch' | 'headers' = 'batch',
  ): Promise<Buffer | null> {
    if (this.#closed) return Promise.reject(closed())
    const node = this.router.owner(slot)
    if (node?.reads.usable === true && node.breaker.closed) return node[batch].read(key, timeoutMs, along)
    if (node?.breaker.admits() === false) return Promise.reject(shed())
    return withDeadline(this.clock, 'a read', timeoutMs, async time => {
      const reached = await reach(this.router, slot, 'reads')
      if (time.expired) throw notConnected()
      time.inFlight = true
      return reached[batch].read(key, time.remainingMs(), along)
    })
  }

  /** The scores of members of a sorted set. A breaker that is open keeps it away, as it does reads. */
  scores(slot: number, key: string, members: readonly (string | Buffer)[], timeoutMs: number): Promise<readonly unknown[]> {
    if (this.#closed) return Promise.reject(closed())
    if (this.router.owner(slot)?.breaker.admits() === false) return Promise.reject(shed())
    const name = 'a look-up of tags'
    return withDeadline(this.clock, name, timeoutMs, time =>
      sendRouted(this.router, slot, 'reads', name, time, redis => redis.callBuffer('zmscore', key, ...members)),
    ) as Promise<readonly unknown[]>
  }

  /** Runs a script whatever the breaker says. */
  run<Keys extends readonly string[], Arguments extends readonly ScriptArgument[]>(
    script: Script<Keys, Arguments>,
    slot: number,
    timeoutMs: number,
    keys: Keys,
    args: Arguments,
  ): Promise<unknown> {
    if (this.#closed) return Promise.reject(closed())
    return withDeadline(this.clock, script.name, timeoutMs, time =>
      sendRouted(this.router, slot, 'scripts', script.name, time, redis => runScript(redis, script, keys, args)),
    )
  }

  /** Runs a script unless the breaker keeps it away. */
  runAdmitted<Keys extends readonly string[], Arguments extends readonly ScriptArgument[]>(
    script: Script<Keys, Arguments>,
    slot: number,
    timeoutMs: number,
    keys: Keys,
    args: Arguments,
  ): Promise<unknown> {
    if (!this.#closed && this.router.owner(slot)?.breaker.admits() === false) return Promise.reject(shed())
    return this.run(script, slot, timeoutMs, keys, args)
  }
}

export function closed(): StoreError {
  return new StoreError('STORE_UNAVAILABLE', 'not-executed', 'The store is closed')
}
