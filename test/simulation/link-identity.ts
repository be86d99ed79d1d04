import { ServerIdentity } from '../../src/redis/server-identity.ts'
import type { Link } from './link.ts'
import { helloMs } from './network.ts'

/** What a process knows of which server it has reached, by the Redis store's own way to tell: a run id, asked for by each new connection. */
export class LinkIdentity {
  readonly #link: Link
  readonly #identity: ServerIdentity
  /** Which connection it is: what an earlier one asked is not answered. */
  #connection = 0
  #metAt = 0
  #metRun = 0

  constructor(link: Link, onServerChange: () => void) {
    this.#link = link
    this.#identity = new ServerIdentity(onServerChange)
    if (link.world.server.up) this.#meet()
  }

  /** Whether the process knows of the server's last start. */
  get isCurrent(): boolean {
    return this.#metRun === this.#link.world.server.run
  }

  /** How long it takes until the process knows which server it has reached: 0 if it does. */
  get leftMs(): number {
    return Math.max(0, this.#metAt - this.#link.world.now)
  }

  /** There is a new connection. */
  ask(onKnown: () => void): void {
    const { world, process } = this.#link
    const connection = ++this.#connection
    const meet = (): void => {
      if (connection !== this.#connection || this.#link.closed) return
      this.#meet()
      onKnown()
    }
    this.#metAt = world.scheduler.after(helloMs(world, process.name, connection), meet, process).at
  }

  /** The connection is gone. */
  lose(): void {
    this.#connection++
  }

  #meet(): void {
    const { run } = this.#link.world.server
    this.#metRun = run
    this.#identity.meet(String(run))
  }
}
