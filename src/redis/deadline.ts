import type { Clock } from '../core/ports.ts'
import { timedOut } from './failures.ts'

/** One command's time. */
export interface CommandTime {
  /** Set while the command is on the wire, so that nothing is known of its outcome. */
  inFlight: boolean
  /** Set once the caller has been given up on: nothing may be sent any more. */
  readonly expired: boolean
  remainingMs(): number
}

/**
 * Calls `expire` once the time is over. A timer that fires after an event-loop stall says nothing about Redis, whose reply may
 * lie in the socket unread: so one poll phase passes before time is called.
 * @returns what stops it
 */
export function startDeadline(clock: Clock, timeoutMs: number, expire: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined
  const timer = clock.setTimeout(() => {
    immediate = setImmediate(expire)
  }, timeoutMs)
  return () => {
    clock.clearTimeout(timer)
    if (immediate !== undefined) clearImmediate(immediate)
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
    const endsAt = clock.now() + timeoutMs
    const time = { inFlight: false, expired: false, remainingMs: () => Math.max(0, endsAt - clock.now()) }
    const stop = startDeadline(clock, timeoutMs, () => {
      time.expired = true
      reject(timedOut(command, timeoutMs, time.inFlight))
    })
    run(time).then(
      reply => {
        stop()
        return resolve(reply)
      },
      (error: unknown) => {
        stop()
        reject(error)
      },
    )
  })
}
