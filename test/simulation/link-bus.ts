import type { EntryKey, StoreContext } from '../../src/index.ts'
import type { Change } from '../../src/core/ports.ts'
import type { Link } from './link.ts'
import { waysOf, type BusMessage, type Ways } from './network.ts'
import type { ScheduledEvent } from './scheduler.ts'
import { show } from './timeline.ts'

/** One process's subscription: wake-ups and changes, of which some are lost, repeated or late. */
export class LinkBus {
  readonly #link: Link
  readonly #context: StoreContext
  readonly #sent = { wake: 0, change: 0 }
  /** Whether the server takes it for a listener. */
  #live = true
  /** Which subscription it is: with one go the messages that are on their way. */
  #subscription = 0
  #notice: ScheduledEvent | undefined
  #silentUntil = 0
  /** When the last change arrives that keeps its turn. */
  #lastAt = 0

  constructor(link: Link, context: StoreContext) {
    this.#link = link
    this.#context = context
    link.world.scheduler.after(1, () => this.#live && context.changes?.onLive(true), link.process)
  }

  get live(): boolean {
    return this.#live && this.#link.connected
  }

  get hearsChanges(): boolean {
    return this.live && this.#context.changes !== undefined
  }

  /** Someone's lease has ended and the store tells everyone. */
  wake(key: EntryKey): void {
    const { world, process } = this.#link
    if (!this.live) {
      world.coverage.count('fault wake while the bus is down')
      return
    }
    const wakeId = this.#link.wakeId(key)
    const ways = this.#ways('wake')
    for (const [nth, afterMs] of ways.waysMs.entries()) {
      const deliver = (): void => {
        if (this.#link.closed) return
        this.#countArrival('wake', ways, nth)
        world.deliveries++
        world.note(process.name, () => `← wake ${wakeId}`)
        this.#context.listeners.onWake(wakeId)
      }
      world.scheduler.after(afterMs, deliver, process)
    }
  }

  /** @param upTo How many changes the server had made by then. */
  tell(change: Change, upTo: number): void {
    const { world, process } = this.#link
    if (this.#context.changes === undefined) return
    if (!this.live) return world.coverage.count(`fault ${change.kind} while the bus is down`)
    const subscription = this.#subscription
    const sentAt = world.now
    const ways = this.#ways('change')
    const { waysMs, late } = ways
    const deliver = (nth: number): void => {
      if (this.#link.closed || subscription !== this.#subscription) return
      this.#countArrival('change', ways, nth)
      world.deliveries++
      world.note(process.name, () => `← ${show(change)}`)
      process.copies?.hears(change, upTo, sentAt, () => this.#context.changes?.onChange(change))
    }
    for (const [nth, wayMs] of waysMs.entries()) {
      let at = world.now + wayMs
      // One connection, one order: only what is late or repeated is out of turn.
      if (!late && nth === 0) at = this.#lastAt = Math.max(at, this.#lastAt)
      world.scheduler.after(at - world.now, () => deliver(nth), process)
    }
  }

  /** Messages are lost from now on; the process notices later. There is no other subscription before. */
  cut(ms: number, noticedMs: number): void {
    this.lose(noticedMs)
    const subscription = this.#subscription
    this.#link.world.scheduler.after(Math.max(ms, noticedMs + 1), () => {
      if (subscription === this.#subscription && this.#link.connected) this.restore(1)
    })
  }

  lose(noticedMs: number): void {
    const { world, process } = this.#link
    this.#live = false
    this.#subscription++
    if (this.#notice !== undefined) this.#notice.cancelled = true
    const notice = (): void => {
      process.copies?.losesBus()
      this.#tellLive(false)
    }
    this.#notice = world.scheduler.after(noticedMs, notice, process)
  }

  restore(noticedMs: number): void {
    const { world, process } = this.#link
    this.#live = true
    this.#lastAt = world.now
    world.scheduler.after(noticedMs, () => this.#tellLive(true), process)
  }

  /** Messages are lost for a while, and nobody notices. */
  silence(ms: number): void {
    this.#silentUntil = Math.max(this.#silentUntil, this.#link.world.now + ms)
  }

  #tellLive(live: boolean): void {
    if (this.#link.closed) return
    this.#context.listeners.onBus(live)
    this.#context.changes?.onLive(live)
  }

  #countArrival(message: BusMessage, { late }: Ways, nth: number): void {
    const { coverage } = this.#link.world
    if (late) coverage.count(`fault late ${message}`)
    if (nth > 0) coverage.count(`fault repeated ${message}`)
  }

  #ways(message: BusMessage): Ways {
    const { world, process } = this.#link
    const ways = waysOf(world, process.name, message, ++this.#sent[message])
    if (world.now >= this.#silentUntil) {
      if (ways.waysMs.length === 0) world.coverage.count(`fault lost ${message}`)
      return ways
    }
    world.coverage.count(`fault ${message} into silence`)
    return { waysMs: [], late: false }
  }
}
