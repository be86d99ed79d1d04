import type { StoreError } from '../core/errors.ts'
import type { Clock, Timer } from '../core/ports.ts'
import { timedOut } from './failures.ts'
import { endOfTurn } from './turns.ts'

/** One command's time. */
export interface CommandTime {
  /** Set while the command is on the wire, so that nothing is known of its outcome. */
  inFlight: boolean
  /** Set once the caller has been given up on: nothing may be sent any more. */
  readonly expired: boolean
  remainingMs(): number
  /** Called when the time is over while the command is on the wire. */
  onExpire: ((error: StoreError) => void) | undefined
}

/**
 * Calls `expire` once the time is over. A timer that fires after an event-loop stall says nothing about Redis: what was to be done or heard
 * meanwhile had no turn. So the time goes on for as long as the timer was late, once and at most as long as the whole, and one poll phase
 * passes before it is called, since the reply may lie in the socket unread.
 */
export class Deadline {
  readonly #clock: Clock
  readonly #expire: () => void
  #endsAt: number
  #timer: Timer
  #immediate: NodeJS.Immediate | undefined

  constructor(clock: Clock, timeoutMs: number, expire: () => void) {
    this.#clock = clock
    this.#expire = expire
    this.#endsAt = clock.now() + timeoutMs
    this.#timer = clock.setTimeout(() => this.#allowForStall(timeoutMs), timeoutMs)
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - this.#clock.now())
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
  }

  #allowForStall(timeoutMs: number): void {
    const now = this.#clock.now()
    const lateMs = Math.min(timeoutMs, now - this.#endsAt)
    if (lateMs < 1) return this.#expireAfterPoll()
    this.#endsAt = now + lateMs
    this.#timer = this.#clock.setTimeout(() => this.#expireAfterPoll(), lateMs)
  }

  #expireAfterPoll(): void {
    this.#immediate = endOfTurn(this.#expire)
  }
}

/** Runs a command that settles when it is answered or when its time is over, whichever is first. */
export function withDeadline<Reply>(
  clock: Clock,
  command: string,
  timeoutMs: number,
  run: (time: CommandTime) => Promise<Reply>,
): Promise<Reply> {
  return new Promise<Reply>((resolve, reject) => {
    const deadline = new Deadline(clock, timeoutMs, () => {
      time.expired = true
      const error = timedOut(command, timeoutMs, time.inFlight)
      time.onExpire?.(error)
      reject(error)
    })
    const time: CommandTime & { expired: boolean } = {
      inFlight: false,
      expired: false,
      remainingMs: () => deadline.remainingMs,
      onExpire: undefined,
    }
    run(time).then(
      reply => {
        deadline.stop()
        return resolve(reply)
      },
      (error: unknown) => {
        deadline.stop()
        reject(error)
      },
    )
  })
}
