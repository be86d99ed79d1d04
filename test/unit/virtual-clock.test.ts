import { describe, expect, it } from 'vitest'
import { seededRandom, virtualClock, type VirtualClock } from '../../src/testing/index.ts'

const sleep = (clock: VirtualClock, ms: number) => new Promise<void>(resolve => void clock.setTimeout(resolve, ms))

describe('virtualClock', () => {
  it('stands still until told, then passes for both clocks', async () => {
    const clock = virtualClock(5000)
    expect([clock.now(), clock.wallNow()]).toEqual([0, 5000])
    await clock.advance(250)
    expect([clock.now(), clock.wallNow()]).toEqual([250, 5250])
    clock.shiftWall(-1000)
    expect([clock.now(), clock.wallNow()]).toEqual([250, 4250])
  })

  it('fires what falls due in order of time, then of making, each at its own moment', async () => {
    const clock = virtualClock()
    const fired: string[] = []
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['d', 30],
      ['b', 20],
      ['e', 31],
    ] as const) {
      clock.setTimeout(() => fired.push(`${name}@${clock.now()}`), ms)
    }
    await clock.advance(30)
    expect(fired).toEqual(['a@10', 'b@20', 'c@30', 'd@30'])
  })

  it('lets promises settle between timers, also those that take a turn of the event loop', async () => {
    const clock = virtualClock()
    const log: string[] = []
    const work = async (name: string) => {
      await sleep(clock, 10)
      await Promise.resolve()
      await new Promise(resolve => setImmediate(resolve))
      log.push(`${name} at ${clock.now()}`)
      await sleep(clock, 5)
      log.push(`${name} done at ${clock.now()}`)
    }
    const both = Promise.all([work('one'), sleep(clock, 3).then(() => work('two'))])
    await clock.advance(100)
    expect(log).toEqual(['one at 10', 'two at 13', 'one done at 15', 'two done at 18'])
    await both
  })

  it('does not fire a timer that was cleared, also by an earlier one of the same moment', async () => {
    const clock = virtualClock()
    const fired: number[] = []
    const second = clock.setTimeout(() => fired.push(2), 11)
    clock.setTimeout(() => {
      fired.push(1)
      clock.clearTimeout(second)
    }, 10)
    await clock.advance(20)
    expect(fired).toEqual([1])
    expect(clock.pendingTimers).toBe(0)
  })

  it('cannot be caught in a loop of timers without delay', async () => {
    const clock = virtualClock()
    let rounds = 0
    const again = () => {
      rounds++
      clock.setTimeout(again, 0)
    }
    again()
    await clock.advance(10)
    expect(rounds).toBe(11)
  })

  it('refuses a delay that no timer can run for', () => {
    const clock = virtualClock()
    expect(() => clock.setTimeout(() => {}, 2 ** 31)).toThrow(RangeError)
    expect(() => clock.setTimeout(() => {}, Number.NaN)).toThrow(RangeError)
  })

  it('makes advances that were asked for together one after the other', async () => {
    const clock = virtualClock()
    await Promise.all([clock.advance(10), clock.advance(10), clock.advance(10)])
    expect(clock.now()).toBe(30)
  })

  it('passes on what a timer throws, and goes on working', async () => {
    const clock = virtualClock()
    clock.setTimeout(() => {
      throw new Error('boom')
    }, 5)
    await expect(clock.advance(10)).rejects.toThrow('boom')
    await clock.advance(10)
    expect(clock.now()).toBe(15)
  })

  it('runs until only upkeep is left', async () => {
    const clock = virtualClock()
    const upkeep = () => clock.unref(clock.setTimeout(upkeep, 50))
    upkeep()
    let done = false
    void sleep(clock, 220).then(() => (done = true))
    await clock.runUntilIdle()
    expect([done, clock.now(), clock.pendingTimers]).toEqual([true, 220, 1])
  })

  it('gives up on what never becomes idle', async () => {
    const clock = virtualClock()
    const forever = () => void clock.setTimeout(forever, 100)
    forever()
    await expect(clock.runUntilIdle(1000)).rejects.toThrow('Still not done after 1000 ms')
  })

  it('runs until a promise settles, and returns or throws what it does', async () => {
    const clock = virtualClock()
    expect(await clock.runUntilSettled(sleep(clock, 500).then(() => 'value'))).toBe('value')
    expect(clock.now()).toBe(500)
    await expect(clock.runUntilSettled(sleep(clock, 5).then(() => Promise.reject(new Error('no'))))).rejects.toThrow('no')
    await expect(clock.runUntilSettled(new Promise(() => {}))).rejects.toThrow('no timer is pending')
  })
})

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed)
      return Array.from({ length: 50 }, () => [random.next(), random.token().toString('hex')])
    }
    expect(draw(1)).toEqual(draw(1))
    const tokens = [0, 1, 2, 3, -1, 2 ** 32, 2 ** 40 + 1].flatMap(seed => draw(seed).map(([, token]) => token))
    expect(new Set(tokens).size).toBe(tokens.length)
  })

  it('is spread evenly over [0, 1)', () => {
    const random = seededRandom(42)
    const buckets = Array.from({ length: 10 }, () => 0)
    for (let draw = 0; draw < 10_000; draw++) {
      const value = random.next()
      expect(value >= 0 && value < 1).toBe(true)
      buckets[Math.floor(value * 10)]!++
    }
    for (const count of buckets) expect(count).toBeGreaterThan(850)
  })

  it('makes tokens of 16 bytes', () => {
    expect(seededRandom(1).token()).toHaveLength(16)
  })
})
