import { expect, test } from 'vitest'
import type { Clock, Timer } from '../../../src/core/ports.ts'
import { withDeadline } from '../../../src/redis/deadline.ts'

const timeoutMs = 100
const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A command under way, on a clock whose one timer fires when it is told to, however late. */
function command(): {
  /** Fires the timer, `lateMs` after it was due. */
  readonly fire: (lateMs?: number) => void
  readonly answer: (reply: string) => void
  readonly remainingMs: () => number
  readonly outcome: Promise<string>
} {
  let now = 0
  let timer: { readonly callback: () => void; readonly dueAt: number } | undefined
  const clock: Clock = {
    now: () => now,
    wallNow: () => now,
    setTimeout: (callback, delayMs) => {
      timer = { callback, dueAt: now + delayMs }
      return timer as unknown as Timer
    },
    clearTimeout: () => (timer = undefined),
    unref: () => {},
  }
  let answer!: (reply: string) => void
  let remainingMs!: () => number
  const reply = withDeadline(clock, 'a read', timeoutMs, time => {
    time.inFlight = true
    remainingMs = time.remainingMs
    return new Promise<string>(resolve => (answer = resolve))
  })
  const fire = (lateMs = 0): void => {
    if (timer === undefined) throw new Error('no timer is set')
    now = timer.dueAt + lateMs
    timer.callback()
  }
  return { fire, answer, remainingMs, outcome: reply.catch((error: unknown) => (error as { code: string }).code) }
}

test('a command is given up when its time is over', async () => {
  const { fire, outcome, remainingMs } = command()
  expect(remainingMs()).toBe(timeoutMs)
  fire()
  expect(await outcome).toBe('STORE_TIMEOUT')
})

test('a reply that lies in the socket unread when the time is over is still heard', async () => {
  const { fire, answer, outcome } = command()
  setImmediate(() => answer('the reply'))
  fire()
  expect(await outcome).toBe('the reply')
})

test('a stall of the event loop does not count: the command gets that time once more', async () => {
  const { fire, answer, outcome, remainingMs } = command()
  fire(60)
  await nextTurn()
  expect(remainingMs()).toBe(60)
  answer('the reply')
  expect(await outcome).toBe('the reply')
})

test('but no more than its whole time, and once', async () => {
  const { fire, outcome, remainingMs } = command()
  fire(10_000)
  expect(remainingMs()).toBe(timeoutMs)
  fire(10_000)
  expect(await outcome).toBe('STORE_TIMEOUT')
})
