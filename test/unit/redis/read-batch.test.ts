import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import { resolveBreaker } from '../../../src/redis/breaker-options.ts'
import { Breaker } from '../../../src/redis/breaker.ts'
import { LoopLag } from '../../../src/redis/loop-lag.ts'
import { ReadBatch, type ReadReply } from '../../../src/redis/read-batch.ts'
import { virtualClock, type VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { track } from '../engine/stage.ts'

type Send = (keys: readonly string[], clock: VirtualClock) => Promise<readonly ReadReply[]>

const moved = (): Error => Object.assign(new Error('MOVED 1 127.0.0.1:7001'), { name: 'ReplyError' })
const valueOf = (key: string): Buffer => Buffer.from(`value of ${key}`)
const never = (): Promise<never> => new Promise(() => {})

interface Opened {
  readonly batch: ReadBatch
  readonly clock: VirtualClock
  readonly sent: (readonly string[])[]
  /** Keys whose own reply was an error, each with the time that was left for it. */
  readonly recovered: [key: string, remainingMs: number][]
}

/** Reads of a server that answers as `send` does; a key that was redirected is found elsewhere, but for 'lost'. */
function open(send: Send, computedMs = () => 0): Opened {
  const clock = virtualClock()
  const sent: (readonly string[])[] = []
  const recovered: [string, number][] = []
  const batch = new ReadBatch({
    clock: { ...clock, now: () => clock.now() + computedMs() },
    breaker: new Breaker(resolveBreaker({}), clock, new LoopLag(clock), () => {}),
    send: async keys => {
      sent.push(keys)
      return send(keys, clock)
    },
    recover: async (key, error, remainingMs) => {
      recovered.push([key, remainingMs])
      if (key === 'lost') throw error
      return valueOf(key)
    },
  })
  return { batch, clock, sent, recovered }
}

/** Answers after 30 ms; keys in `elsewhere` are redirected. */
const answering =
  (...elsewhere: readonly string[]): Send =>
  async (keys, clock) => {
    await new Promise<void>(resolve => void clock.setTimeout(resolve, 30))
    return keys.map(key => (elsewhere.includes(key) ? moved() : valueOf(key)))
  }

describe('many keys read at once', () => {
  it('are answered each by itself: one that was redirected is looked for elsewhere, in the time that is left', async () => {
    const { batch, clock, recovered } = open(answering('b', 'lost'))
    const read = await clock.runUntilSettled(batch.readMany(['a', 'b', 'lost'], 100))
    expect(read.slice(0, 2)).toEqual([valueOf('a'), valueOf('b')])
    expect(read[2]).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
    expect(recovered).toEqual([
      ['b', 70],
      ['lost', 70],
    ])
  })

  it('all fail with the command that carried them', async () => {
    const { batch } = open(async () => {
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    })
    const read = await batch.readMany(['a', 'b'], 100)
    expect(read.map(each => each instanceof StoreError && each.code)).toEqual(['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'])
  })

  it('all time out with it', async () => {
    const { batch, clock } = open(never)
    const read = track(clock, batch.readMany(['a', 'b'], 100))
    await clock.advance(101)
    expect(read.value).toMatchObject([{ code: 'STORE_TIMEOUT' }, { code: 'STORE_TIMEOUT' }])
  })

  it('travel in commands of 512 keys at most, and come back in order', async () => {
    const { batch, clock, sent } = open(answering())
    const keys = Array.from({ length: 1025 }, (_, index) => `key-${index}`)
    expect(await clock.runUntilSettled(batch.readMany(keys, 100))).toEqual(keys.map(valueOf))
    expect(sent.map(({ length }) => length)).toEqual([512, 512, 1])
  })
})

describe('reads of one tick', () => {
  it('are given up each at its own time, though they travel together', async () => {
    const { batch, clock, sent } = open(never)
    const [hasty, patient] = [track(clock, batch.read('a', 50)), track(clock, batch.read('b', 200))]
    await clock.advance(60)
    expect(sent).toEqual([['a', 'b']])
    expect([hasty, patient]).toMatchObject([{ error: { code: 'STORE_TIMEOUT' } }, { state: 'pending' }])
    await clock.advance(150)
    expect(patient).toMatchObject({ error: { code: 'STORE_TIMEOUT' } })
  })

  const readTwice =
    (batch: ReadBatch) =>
    async (name: string): Promise<void> => {
      await batch.read(name, 100)
      await batch.read(`${name} again`, 100)
    }

  it('are answered in two turns, so that what the first ask for next is on its way while the others are answered', async () => {
    const { batch, clock, sent } = open(answering())
    await clock.runUntilSettled(Promise.all(['a', 'b', 'c'].map(readTwice(batch))))
    expect(sent).toEqual([['a', 'b', 'c'], ['a again', 'b again'], ['c again']])
  })

  it('ask together for what comes next while another command is on its way', async () => {
    const { batch, clock, sent } = open((keys, at) => (keys[0] === 'slow' ? never() : answering()(keys, at)))
    void batch.read('slow', 10_000)
    await clock.advance(1)
    await clock.runUntilSettled(Promise.all(['a', 'b', 'c'].map(readTwice(batch))))
    expect(sent).toEqual([['slow'], ['a', 'b', 'c'], ['a again', 'b again', 'c again']])
  })

  it('have their own time, though callers that were answered before them compute', async () => {
    let computedMs = 0
    const { batch, clock, recovered } = open(answering('c', 'd'), () => computedMs)
    const busy = ['a', 'b'].map(name => batch.read(name, 100).then(() => (computedMs += 60)))
    const moving = ['c', 'd'].map(name => batch.read(name, 100))
    await clock.runUntilSettled(Promise.all([...busy, ...moving]))
    expect(recovered).toEqual([
      ['c', 70],
      ['d', 70],
    ])
  })

  it('look for a key elsewhere when it was redirected, in the time that is left for it', async () => {
    const { batch, clock, recovered } = open(answering('b'))
    const reads = Promise.all([batch.read('a', 100), batch.read('b', 50)])
    expect(await clock.runUntilSettled(reads)).toEqual([valueOf('a'), valueOf('b')])
    expect(recovered).toEqual([['b', 20]])
  })
})

describe('a batch of keys', () => {
  it('is asked for anew while the same keys are on the wire, so that it sees what has been written since', async () => {
    let stored = 'old'
    const { batch, clock, sent } = open(async keys => {
      const seen = stored
      await new Promise<void>(resolve => void clock.setTimeout(resolve, 30))
      return keys.map(() => Buffer.from(seen))
    })
    const early = batch.readMany(['k'], 1_000)
    await clock.advance(10)
    stored = 'new'
    const late = batch.readMany(['k'], 1_000)
    await clock.advance(50)
    expect([await early, await late].map(([bytes]) => String(bytes))).toEqual(['old', 'new'])
    expect(sent).toEqual([['k'], ['k']])
  })
})
