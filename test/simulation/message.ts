import type { EntryKey, Token } from '../../src/index.ts'
import { StoreError } from '../../src/index.ts'
import type { MemoryServer } from '../../src/memory/memory-server.ts'
import type { Link } from './link.ts'
import { shortestMs, type Fate, type Trouble } from './network.ts'
import type { Command } from './plan.ts'
import { labelOf } from './store-watch.ts'
import type { ScheduledEvent } from './scheduler.ts'
import { tableId } from './server.ts'
import { show } from './timeline.ts'

/** A stamp names the acquire `beside` which it was asked for. */
export type Request = EntryKey & { readonly timeoutMs: number; readonly beside?: Token | undefined }

interface Sending {
  readonly link: Link
  readonly command: Command
  readonly request: Request
  readonly fate: Fate
  readonly execute: (server: MemoryServer, now: number) => unknown
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: StoreError) => void
  readonly forget: () => void
}

/** One command: there, executed, and back, of which its caller sees only what comes before it gives up. */
export class Message {
  readonly #sending: Sending
  readonly #sentAt: number
  #settled = false
  #cut = false
  #timeout: ScheduledEvent | undefined
  #executions = 0

  constructor(sending: Sending) {
    this.#sending = sending
    this.#sentAt = sending.link.world.now
  }

  send(): void {
    const { link, fate, request, command } = this.#sending
    const { world, process } = link
    world.note(process.name, () => `→ ${command} ${show(request)}`)
    const giveUp = (): void =>
      this.#settle(() => {
        world.note(process.name, () => `  ${command} timed out`)
        this.#countLoss()
        if (command === 'acquire') process.waiting.gaveUp(request)
        this.#sending.reject(new StoreError('STORE_TIMEOUT', 'unknown', `no reply within ${request.timeoutMs} ms`))
      })
    this.#timeout = world.scheduler.after(Math.max(1, request.timeoutMs), giveUp, process, true)
    if (fate.trouble === 'lost request') return
    world.scheduler.after(fate.requestMs + link.stuckMs, () => this.#arrive())
  }

  /** The connection went down: what is on its way may be executed all the same, but no reply comes back. */
  cut(): void {
    const { link } = this.#sending
    this.#cut = true
    const fail = (): void =>
      this.#settle(() => {
        this.#count('cut')
        this.#sending.reject(new StoreError('STORE_UNAVAILABLE', 'unknown', 'the connection went down'))
      })
    link.world.scheduler.after(1, fail, link.process)
  }

  #arrive(): void {
    const { link, fate } = this.#sending
    const { world } = link
    if (!world.server.up || (this.#cut && fate.requestMs % 1 < 0.5)) return
    if (fate.againMs === undefined) return this.#answer(this.#executed())
    const digest = (): string => world.server.tables.digest(tableId(this.#sending.request), world.server.now)
    const first = this.#executed()
    if (fate.againMs > 0 || raises(this.#sending.command)) {
      world.scheduler.after(fate.againMs, () => {
        if (!this.#cut && world.server.up) this.#answer(this.#executed())
      })
      return
    }
    const once = digest()
    const reply = this.#executed()
    // `release` says whether the token still held, which it did the first time only; and a commit to a full server has ended its lease.
    const same = show(first) === show(reply) || this.#sending.command === 'release' || first === 'full'
    if (digest() !== once || !same) world.violate('I3', `${this.#sending.command} executed twice is not the same as once`)
    this.#answer(reply)
  }

  #executed(): unknown {
    const { link, command, request, execute } = this.#sending
    const { server } = link.world
    link.world.deliveries++
    const sent = { process: link.process.name, command, request, at: this.#sentAt }
    const reply = link.world.watch.execute(sent, () => execute(server.commands, server.now))
    this.#countExecution()
    if (command === 'put' && reply === 'stored') this.#checkInTime()
    return reply
  }

  /** Once `set` has settled its put may not be stored any more: what others have written or deleted since would be undone. */
  #checkInTime(): void {
    const { link, request } = this.#sending
    const { world, process } = link
    if (process.state === 'dead' || process.closed || world.server.clockSteppedBack) return
    if (process.pendingCalls(tableId(request), 'set').length > 0) return
    world.violate('a settled set is over', `the put of ${process.name} for ${request.key} is stored after its set has settled`)
  }

  #answer(reply: unknown): void {
    const { link, fate, command } = this.#sending
    const { world, process } = link
    if (fate.trouble === 'lost reply') return
    const deliver = (): void =>
      this.#settle(() => {
        world.deliveries++
        world.note(process.name, () => `← ${command} ${show(reply)}`)
        if (command === 'acquire') process.waiting.answered(this.#sending.request, reply)
        if (command === 'stamp') process.waiting.stamped(this.#sending.request.beside)
        if (command === 'renew' && reply === false) process.waiting.heardLoss()
        world.coverage.count(`heard ${command} ${labelOf(command, reply)}`)
        this.#sending.resolve(reply)
      })
    if (!this.#cut) world.scheduler.after(Math.max(fate.replyMs, link.helloMs), () => this.#cut || deliver(), process)
  }

  /** Its caller has waited in vain. */
  #countLoss(): void {
    const { trouble } = this.#sending.fate
    if (trouble === 'lost request' && this.#executions === 0) this.#count(trouble)
    if (trouble === 'lost reply' && this.#executions > 0) this.#count(trouble)
  }

  #countExecution(): void {
    const { trouble } = this.#sending.fate
    const { now, plan } = this.#sending.link.world
    if (++this.#executions === 2) this.#count('resent')
    if (trouble === 'late' && now - this.#sentAt > shortestMs + plan.weather.requestMs) this.#count(trouble)
  }

  #count(trouble: Trouble | 'cut'): void {
    this.#sending.link.world.coverage.count(`fault ${trouble} ${this.#sending.command}`)
  }

  #settle(act: () => void): void {
    if (this.#settled) return
    this.#settled = true
    if (this.#timeout !== undefined) this.#timeout.cancelled = true
    this.#sending.forget()
    act()
  }
}

/** Twice raises further than once, which invalidates no more; a second pulse is not sent. */
function raises(command: Command): boolean {
  return command === 'bump-tags' || command === 'clear' || command === 'pulse'
}
