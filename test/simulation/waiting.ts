import type {
  AcquireReply,
  AcquireRequest,
  CommitRequest,
  EntryKey,
  ReleaseRequest,
  RenewRequest,
  Token,
} from '../../src/index.ts'
import type { CallRecord, Grant } from './history.ts'
import type { Request } from './message.ts'
import type { SimulatedProcess } from './process.ts'
import { tableId } from './server.ts'
import type { World } from './world.ts'

interface Wait {
  readonly id: string
  readonly sinceSeq: number
  readonly pausedMs: number
}

interface LastReply {
  readonly id: string
  readonly kind: AcquireReply['kind']
  /** A load begins once both the lease and its stamp are there. */
  step: number
  readonly grant: Grant | undefined
  readonly wait: boolean
}

/** By how much a waiter may come later than the end of the lease it waits for. */
const graceMs = 100

/** Sums of times that count from different moments differ by less. */
const roundingMs = 0.01

/** Watches one process wait: nobody waits on a corpse, who is woken asks again at once, and refreshes do not wait at all. */
export class Waiting {
  readonly #world: World
  readonly #process: SimulatedProcess
  readonly #waits = new Map<string, Wait>()
  /** Until when a lease runs that a refresh found taken. */
  readonly #busyUntil = new Map<string, number>()
  #givenUp: { readonly id: string; readonly step: number; readonly token: Token } | undefined
  #lossStep = -1
  readonly #dead = new Set<string>()
  readonly #lastReplies = new Map<string, LastReply>()
  readonly #unstamped = new Set<LastReply>()

  constructor(world: World, process: SimulatedProcess) {
    this.#world = world
    this.#process = process
  }

  /** It has asked for the lease again, or given up waiting. */
  stopped(key: EntryKey): void {
    this.#waits.delete(tableId(key))
  }

  asks(request: AcquireRequest): void {
    this.stopped(request)
    if (!request.wait) this.#refreshAsks(request)
    for (const token of request.dead) this.#buries(token)
    const given = this.#givenUp
    if (given === undefined || given.step !== this.#world.scheduler.step || given.id !== tableId(request)) return
    if (request.dead.some(token => token.equals(given.token))) return
    const who = `${this.#process.name} asks for ${request.key} again`
    this.#world.violate('token rule: the retry names the dead token', `${who} and does not say that its last token is dead`)
  }

  /** An acquire timed out: its token may yet be granted, and is dead. */
  gaveUp(request: Request): void {
    const { token } = request as unknown as AcquireRequest
    this.#givenUp = { id: tableId(request), step: this.#world.scheduler.step, token }
    this.#dead.add(token.toString('latin1'))
  }

  /** A lease that came without its stamp is given up like one that may not have come. */
  #buries(token: Token): void {
    this.#dead.add(token.toString('latin1'))
    for (const last of this.#unstamped) if (last.grant?.token.equals(token) === true) this.#unstamped.delete(last)
  }

  /** A renewal was told that its lease is not ours any more. */
  heardLoss(): void {
    this.#lossStep = this.#world.scheduler.step
  }

  /** A load was told that its lease is lost. */
  lost({ key }: { readonly key: string }): void {
    if (this.#lossStep === this.#world.scheduler.step) return
    this.#world.violate(
      'only a definite no is a loss',
      `${this.#process.name} takes its lease of ${key} for lost, and nobody said so`,
    )
  }

  /** Nobody loads or commits under a token that is dead. */
  uses({ key, token }: RenewRequest | CommitRequest): void {
    if (!this.#dead.has(token.toString('latin1'))) return
    const text = `${this.#process.name} loads ${key} under a token that it was never told is granted`
    this.#world.violate('token rule: dead tokens are not used', text)
  }

  answered(request: Request, reply: unknown): void {
    const { wait, token } = request as unknown as AcquireRequest
    const { kind } = reply as AcquireReply
    const id = tableId(request)
    const world = this.#world
    const grant = kind === 'granted' ? world.watch.grantOf(token) : undefined
    const last: LastReply = { id, kind, step: world.scheduler.step, grant, wait }
    this.#lastReplies.set(id, last)
    if (kind === 'granted') this.#unstamped.add(last)
    const answer = reply as AcquireReply
    if (answer.kind !== 'busy') return
    if (!wait) {
      this.#busyUntil.set(id, world.now + answer.remainingMs)
      return
    }
    const waiting: Wait = { id, sinceSeq: world.nextSeq(), pausedMs: this.#process.pausedMs }
    this.#waits.set(id, waiting)
    this.#mustAskWithin(waiting, answer.remainingMs + graceMs, 'P4', 'the end of the lease')
    // The wake-up may have come before the reply.
    const holder = world.server.tables.holderAt(id, world.server.now)
    if (world.plan.calm && holder?.equals(answer.holder) !== true) this.#mustWake(waiting)
  }

  /** A stamp has come, for which the load under this token may have been waiting. */
  stamped(token: Token | undefined): void {
    for (const last of this.#unstamped) {
      if (token !== undefined && last.grant?.token.equals(token) === true) last.step = this.#world.scheduler.step
    }
  }

  /** A lease that no load will run under. */
  released({ token }: ReleaseRequest): void {
    for (const last of this.#unstamped) if (last.grant?.token.equals(token) === true) this.#unstamped.delete(last)
  }

  /** What the acquire said that was answered just now, or whose stamp was: its load begins in the same step. */
  justAnswered(id: string): LastReply | undefined {
    const { step } = this.#world.scheduler
    const granted = [...this.#unstamped].find(each => each.id === id && each.step === step)
    if (granted !== undefined) {
      this.#unstamped.delete(granted)
      return granted
    }
    const last = this.#lastReplies.get(id)
    return last?.step === step ? last : undefined
  }

  /** Someone ended the lease by a command. Without faults the wake-up comes at once. */
  leaseEnded(id: string): void {
    const waiting = this.#waits.get(id)
    if (waiting !== undefined && this.#world.plan.calm) this.#mustWake(waiting)
  }

  /** It takes the lease or leaves the key alone until the lease has ended, even if it hears that it ended sooner. */
  #refreshAsks({ key, version }: EntryKey): void {
    const busyMs = (this.#busyUntil.get(tableId({ key, version })) ?? 0) - this.#world.now
    if (busyMs < roundingMs) return
    const text = `a refresh of ${key} by ${this.#process.name} asks for a lease that was to run for another ${busyMs.toFixed(0)} ms`
    this.#world.violate('a refresh does not wait', text)
  }

  #mustWake(waiting: Wait): void {
    this.#mustAskWithin(waiting, this.#world.plan.weather.wakeMs + 2, 'wake-up', 'the lease was ended')
  }

  #mustAskWithin(waiting: Wait, ms: number, rule: string, what: string): void {
    const process = this.#process
    this.#world.scheduler.after(ms, () => {
      const { id, pausedMs, sinceSeq } = waiting
      if (this.#waits.get(id) !== waiting) return
      if (process.state !== 'running' || process.pausedMs !== pausedMs || process.closing) return
      const stuck = process.pendingCalls(id, 'getOrSet').find(call => call.beganSeq < sinceSeq)
      if (stuck === undefined || process.loadsUnderWay(id) > 0) return
      this.#world.violate(rule, `${this.#named(stuck)} still waits ${ms.toFixed(0)} ms after ${what}, or after it heard of it`)
    })
  }

  #named(call: CallRecord): string {
    return `call ${call.nth} of ${this.#process.name} for ${call.version}:${call.key}`
  }
}
