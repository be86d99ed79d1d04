import { EventEmitter } from 'node:events'
import type { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import { Connection, type Verdict } from '../../../src/redis/connection.ts'
import { virtualClock, type VirtualClock } from '../../../src/testing/virtual-clock.ts'

type Answer = (verdict?: Verdict) => void

interface Opened {
  readonly clock: VirtualClock
  readonly connection: Connection
  /** The questions that the server has been asked, each with what answers it. */
  readonly questions: Answer[]
  /** What the socket has received, and whether it was destroyed. */
  readonly stream: { bytesRead: number; destroyed: boolean }
}

/** A connection whose socket stands, to a server that answers when a test says so. */
async function opened(): Promise<Opened> {
  const clock = virtualClock()
  const questions: Answer[] = []
  const stream = { bytesRead: 0, destroyed: false, on: () => {}, destroy: () => void (stream.destroyed = true) }
  const redis = Object.assign(new EventEmitter(), {
    status: 'ready',
    stream,
    connect: async () => {
      await Promise.resolve()
      redis.emit('connect')
      redis.emit('ready')
    },
    disconnect: () => {},
  })
  const ask = (): Promise<Verdict | undefined> => new Promise(resolve => questions.push(resolve))
  const connection = new Connection({
    create: () => redis as unknown as Redis,
    name: 'test',
    clock,
    upkeep: { setUp: ask, check: ask },
    credentials: undefined,
    onChange: () => {},
  })
  connection.open()
  await clock.advance(0)
  return { clock, connection, questions, stream }
}

const demoted: Verdict = { fault: new StoreError('STORE_UNAVAILABLE', 'not-executed', 'not a primary'), next: 'stay' }

it.each(['while it is set up', 'later'])(
  'a server that is doubted while it is being asked, %s, is asked once more: its answer may be from before that',
  async when => {
    const { clock, connection, questions } = await opened()
    if (when === 'later') {
      questions[0]?.()
      await clock.advance(1_000)
    }
    const asked = questions.length
    connection.doubt()
    connection.doubt()
    expect(questions).toHaveLength(asked)
    questions.at(-1)?.()
    await clock.advance(0)
    expect(connection.usable).toBe(true)
    expect(questions).toHaveLength(asked + 1)
    questions.at(-1)?.(demoted)
    await clock.advance(0)
    expect(connection.usable).toBe(false)
    expect(questions).toHaveLength(asked + 1)
  },
)

it('a server that is doubted is asked at once', async () => {
  const { clock, connection, questions } = await opened()
  questions[0]?.()
  await clock.advance(0)
  connection.doubt()
  expect(questions).toHaveLength(2)
})

it('a socket that is answered nothing is given up after 0.6 s: its questions may have been lost in what is over by now', async () => {
  const { clock, stream } = await opened()
  await clock.advance(599)
  expect(stream.destroyed).toBe(false)
  await clock.advance(1)
  await new Promise(setImmediate)
  expect(stream.destroyed).toBe(true)
})

it('a socket on which a large answer is still coming in is not given up', async () => {
  const { clock, stream } = await opened()
  for (let seconds = 0; seconds < 5; seconds += 0.2) {
    stream.bytesRead++
    await clock.advance(200)
  }
  expect(stream.destroyed).toBe(false)
})

it('a server that has answered before has 2 to 3 s to do so again', async () => {
  const { clock, questions, stream } = await opened()
  stream.bytesRead++
  questions[0]?.()
  await clock.advance(2_000)
  await new Promise(setImmediate)
  expect(stream.destroyed).toBe(false)
  await clock.advance(1_100)
  await new Promise(setImmediate)
  expect(stream.destroyed).toBe(true)
})
