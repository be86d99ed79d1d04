import type { Clock, Timer } from '../core/ports.ts'
import { checkFinite, checkMs } from './check-arguments.ts'

/** Time that stands still until it is told to pass. */
export interface VirtualClock extends Clock {
  /** How many timers wait, those of upkeep included. */
  readonly pendingTimers: number
  /** Lets `ms` pass: fires what falls due, in order, and lets promises settle after each timer and at the end. */
  advance(ms: number): Promise<void>
  /** Goes on from timer to timer until only upkeep (`unref`) waits. Fails after `limitMs` of virtual time, default 1 hour. */
  runUntilIdle(limitMs?: number): Promise<void>
  /** Goes on until `promise` settles, and returns or throws what it does. Fails after `limitMs`, default 1 hour. */
  runUntilSettled<Value>(promise: Promise<Value>, limitMs?: number): Promise<Value>
  /** Lets promises settle without letting time pass. */
  settle(): Promise<void>
  /** Moves the wall clock alone, as an administrator or NTP would. */
  shiftWall(ms: number): void
}

interface PendingTimer {
  readonly at: number
  readonly callback: () => void
  upkeep: boolean
}

const longestDelayMs = 2_147_483_647
const defaultLimitMs = 3_600_000
/** How often the event loop turns with no timer pending before a wait is given up: real work may be on its way. */
const patience = 1000
// Taken before a test runner can put fakes in their place.
const nextTurn = setImmediate

/**
 * A clock for tests.
 *
 * @param start The wall-clock time at the beginning, in ms since 1970. Default: the first moment of 2026.
 */
export function virtualClock(start: number = Date.UTC(2026, 0, 1)): VirtualClock {
  checkFinite('start', start, 'a number of milliseconds since 1970')
  const timers = new Set<PendingTimer>()
  let elapsed = 0
  let wallOffset = start
  let queue: Promise<unknown> = Promise.resolve()

  /** Advances asked for at the same time happen one after the other. */
  function inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = queue.then(run)
    queue = result.catch(() => undefined)
    return result
  }

  /** Of those due at the same moment the one made first: a set keeps the order of making. */
  function nextTimer(): PendingTimer | undefined {
    let next: PendingTimer | undefined
    for (const timer of timers) {
      if (next === undefined || timer.at < next.at) next = timer
    }
    return next
  }

  async function fire(timer: PendingTimer): Promise<void> {
    timers.delete(timer)
    elapsed = Math.max(elapsed, timer.at)
    timer.callback()
    await settle()
  }

  async function advanceTo(target: number): Promise<void> {
    await settle()
    for (let timer = nextTimer(); timer !== undefined && timer.at <= target; timer = nextTimer()) await fire(timer)
    elapsed = Math.max(elapsed, target)
    await settle()
  }

  async function runWhile(busy: () => boolean, limitMs: number): Promise<void> {
    const limit = elapsed + limitMs
    await settle()
    for (let idleTurns = 0; busy();) {
      const timer = nextTimer()
      if (timer === undefined) {
        if (idleTurns++ === patience) throw new Error('Nothing is left that could happen: no timer is pending')
        await settle()
        continue
      }
      if (timer.at > limit) throw new Error(`Still not done after ${limitMs} ms of virtual time`)
      await fire(timer)
    }
  }

  return {
    get pendingTimers() {
      return timers.size
    },
    now: () => elapsed,
    wallNow: () => wallOffset + elapsed,
    setTimeout(callback, delayMs) {
      if (!(delayMs <= longestDelayMs)) throw new RangeError(`A timer cannot run for ${delayMs} ms`)
      const timer: PendingTimer = { at: elapsed + Math.max(1, delayMs), callback, upkeep: false }
      timers.add(timer)
      return timer as unknown as Timer
    },
    clearTimeout: timer => void timers.delete(timer as unknown as PendingTimer),
    unref(timer) {
      ;(timer as unknown as PendingTimer).upkeep = true
    },
    async advance(ms) {
      checkMs('ms', ms)
      checkFinite('ms', ms)
      await inTurn(() => advanceTo(elapsed + ms))
    },
    async runUntilIdle(limitMs = defaultLimitMs) {
      checkMs('limitMs', limitMs)
      await inTurn(() => runWhile(() => [...timers].some(timer => !timer.upkeep), limitMs))
    },
    async runUntilSettled(promise, limitMs = defaultLimitMs) {
      checkMs('limitMs', limitMs)
      let settled = false
      const done = () => void (settled = true)
      promise.then(done, done)
      await inTurn(() => runWhile(() => !settled, limitMs))
      return promise
    },
    settle: () => inTurn(settle),
    shiftWall(ms) {
      checkFinite('ms', ms)
      wallOffset += ms
    },
  }
}

/** All microtasks, and two turns of the event loop for what they left to it, the microtasks of those turns included. */
async function settle(): Promise<void> {
  await new Promise<void>(resolve => nextTurn(resolve))
  await new Promise<void>(resolve => nextTurn(resolve))
}
