import { StoreError } from '../../src/index.ts'
import { ServerTime } from '../../src/redis/server-time.ts'
import type { Link } from './link.ts'
import { fateOf } from './network.ts'
import type { ScheduledEvent } from './scheduler.ts'

const everyMs = 1000
const againMs = 60
/** A sample that took longer is not taken. */
export const longestSampleMs = 100

/** What a process knows of the server's time, by the Redis store's own estimate: from samples taken first and every second. */
export class LinkTime {
  readonly #link: Link
  readonly #time: ServerTime = new ServerTime()
  readonly #waiting = new Set<(failure?: StoreError) => void>()
  #next: ScheduledEvent | undefined
  #asked = 0
  #generation = 0

  constructor(link: Link) {
    this.#link = link
  }

  /** Server ms: never behind. NaN while it is not known. */
  now(): number {
    return Math.ceil(this.#time.now(this.#link.process.clock.now()))
  }

  notAfter(timeoutMs: number): number {
    return Math.floor(this.#time.earliest(this.#link.process.clock.now()) + timeoutMs)
  }

  start(): void {
    const { world, process, connected } = this.#link
    if (!connected) return
    this.#next = world.scheduler.after(this.#time.known ? everyMs : againMs, () => this.start(), process)
    const generation = this.#generation
    const sentAt = process.clock.now()
    const fate = fateOf(world, process.name, 'time', ++this.#asked)
    if (fate.trouble?.startsWith('lost') === true) return
    world.scheduler.after(fate.requestMs + this.#link.stuckMs, () => {
      if (!world.server.up) return
      const serverMs = world.server.preciseNow
      const arrive = (): void => {
        const receivedAt = process.clock.now()
        if (generation !== this.#generation || receivedAt - sentAt > longestSampleMs) return
        this.#time.take({ serverMs, sentAt, receivedAt })
        this.#answer()
      }
      world.scheduler.after(fate.replyMs, arrive, process)
    })
  }

  /** Another server may answer from now on. */
  restart(): void {
    this.stop()
    this.#time.reset()
    this.start()
  }

  stop(): void {
    this.#generation++
    if (this.#next !== undefined) this.#next.cancelled = true
  }

  /** Which run of samples it goes by; -1 while it has none. */
  get source(): number {
    return this.#time.known ? this.#generation : -1
  }

  ready(timeoutMs: number): Promise<void> {
    if (this.#time.known) return Promise.resolve()
    const { world, process, connected } = this.#link
    if (!connected) return Promise.reject(unavailable())
    return new Promise((resolve, reject) => {
      const giveUp = (): void => answer(new StoreError('STORE_TIMEOUT', 'not-executed', "the server's time is not known"))
      const timer = world.scheduler.after(timeoutMs, giveUp, process, true)
      const answer = (failure?: StoreError): void => {
        timer.cancelled = true
        this.#waiting.delete(answer)
        if (failure === undefined) resolve()
        else reject(failure)
      }
      this.#waiting.add(answer)
    })
  }

  /** The connection is gone, and with it the hope of whoever waits. */
  lose(): void {
    const { world, process } = this.#link
    world.scheduler.after(1, () => this.#answer(unavailable()), process)
  }

  #answer(failure?: StoreError): void {
    for (const answer of this.#waiting) answer(failure)
  }
}

function unavailable(): StoreError {
  return new StoreError('STORE_UNAVAILABLE', 'not-executed', 'the connection is down')
}
