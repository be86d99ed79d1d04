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
}

/** A connection whose socket stands, to a server that answers when a test says so. */
async function opened(): Promise<Opened> {
  const clock = virtualClock()
  const questions: Answer[] = []
  const redis = Object.assign(new EventEmitter(), {
    status: 'ready',
    stream: {},
    connect: async () => void redis.emit('ready'),
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
  return { clock, connection, questions }
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
