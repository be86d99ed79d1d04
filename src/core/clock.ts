import { randomFillSync } from 'node:crypto'
import type { Clock, Random, Timer, Token } from './ports.ts'

const mostLooks = 1000
let turnStartedAt = 0
let looksLeft = 0
const endTurn = (): void => void (looksLeft = 0)

/** The process's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  turnNow: () => {
    if (looksLeft-- > 0) return turnStartedAt
    looksLeft = mostLooks
    turnStartedAt = performance.now()
    setImmediate(endTurn).unref()
    return turnStartedAt
  },
  wallNow: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs) as unknown as Timer,
  clearTimeout: timer => clearTimeout(timer as unknown as NodeJS.Timeout),
  unref: timer => void (timer as unknown as NodeJS.Timeout).unref(),
}

const tokenBytes = 16
const pool = Buffer.allocUnsafeSlow(tokenBytes * 256)
let used = pool.length

/** The process's own randomness. Tokens are cut from a pool, since a system call for each would cost more than the rest of a miss. */
export const systemRandom: Random = {
  next: Math.random,
  token(): Token {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    used += tokenBytes
    return Buffer.from(pool.subarray(used - tokenBytes, used))
  },
}
