import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import { Breaker } from '../../../src/redis/breaker.ts'
import { resolveBreaker, type BreakerOptions } from '../../../src/redis/breaker-options.ts'
import { LoopLag } from '../../../src/redis/loop-lag.ts'
import { virtualClock, type VirtualClock } from '../../../src/testing/virtual-clock.ts'

const hour = 3_600_000

interface Setting {
  readonly clock: VirtualClock
  readonly breaker: Breaker
  readonly changes: string[]
  /** One command that takes so long and ends so. */
  command(ms?: number, error?: StoreError): Promise<void>
  many(count: number, ms?: number, error?: StoreError): Promise<void>
}

function open(options: BreakerOptions = {}): Setting {
  const clock = virtualClock()
  const changes: string[] = []
  const breaker = new Breaker(resolveBreaker(options), clock, new LoopLag(clock), (state, reason) =>
    changes.push(`${state}: ${reason}`),
  )
  const command = async (ms = 1, error?: StoreError): Promise<void> => {
    const sample = breaker.begin()
    await clock.advance(ms)
    breaker.end(sample, error)
  }
  const many = async (count: number, ms?: number, error?: StoreError): Promise<void> => {
    for (let i = 0; i < count; i++) await command(ms, error)
  }
  return { clock, breaker, changes, command, many }
}

const noReply = (): StoreError => new StoreError('STORE_TIMEOUT', 'unknown', 'no reply')
const lost = (): StoreError => new StoreError('STORE_UNAVAILABLE', 'unknown', 'the connection was lost')
const forbidden = (): StoreError => new StoreError('STORE_REFUSED', 'not-executed', 'no permission')

describe('a breaker', () => {
  it('opens when more than 2 % of at least 50 commands failed', async () => {
    const { breaker, many, command } = open()
    await many(98)
    await many(2, 1, lost())
    expect(breaker.state).toBe('closed')
    await command(1, lost())
    expect(breaker.state).toBe('open')
    expect(breaker.admits()).toBe(false)
  })

  it('says nothing about fewer commands than its minimum volume', async () => {
    const { breaker, many, command } = open()
    await many(49, 1, lost())
    expect(breaker.state).toBe('closed')
    await command(1, lost())
    expect(breaker.state).toBe('open')
  })

  it('is not opened by good replies, though they make the failures before them many enough to count', async () => {
    const { breaker, many, command } = open()
    await many(5, 1, lost())
    await many(60)
    expect(breaker.state).toBe('closed')
    await command(1, lost())
    expect(breaker.state).toBe('open')
  })

  it('opens when more than one command in twenty takes longer than the latency', async () => {
    const { breaker, changes, many, command } = open({ latency: '100ms' })
    await many(95, 10)
    await many(5, 100)
    expect(breaker.state).toBe('closed')
    await many(6, 101)
    expect(changes).toEqual(['open: latency'])
    await command()
    expect(breaker.state).toBe('open')
  })

  it('takes a refusal by rule for an answer', async () => {
    const { breaker, many } = open()
    await many(100, 1, forbidden())
    expect(breaker.state).toBe('closed')
  })

  it('forgets what is older than its window: nine failures, an idle hour and one failure are one failure', async () => {
    const { breaker, clock, many } = open({ minVolume: 10 })
    await many(9, 1, lost())
    // A little more, so that the window counts in another slice than before.
    await clock.advance(hour + 5_000)
    await many(1, 1, lost())
    expect(breaker.state).toBe('closed')
    await clock.advance(10_000)
    await many(9, 1, lost())
    expect(breaker.state).toBe('closed')
    await many(1, 1, lost())
    expect(breaker.state).toBe('open')
  })

  it('lets one command at a time through once it was open for a while, and closes after three good ones', async () => {
    const { breaker, changes, clock, many, command } = open()
    await many(50, 1, lost())
    await clock.advance(248)
    expect(breaker.admits()).toBe(false)
    await clock.advance(2)
    expect(breaker.admits()).toBe(true)
    const probe = breaker.begin()
    expect(breaker.admits()).toBe(false)
    breaker.end(probe)
    expect(breaker.admits()).toBe(true)
    await command()
    expect(breaker.state).toBe('half-open')
    expect(breaker.admits()).toBe(true)
    await command()
    expect(breaker.closed).toBe(true)
    expect(changes).toEqual(['open: errors', 'half-open: probe', 'closed: probe'])
  })

  it.each([
    ['fails', 1, noReply()],
    ['is slow', 101, undefined],
  ] as const)('opens again when a probe %s', async (_, ms, error) => {
    const { breaker, clock, many, command } = open()
    await many(50, 1, lost())
    await clock.advance(500)
    expect(breaker.admits()).toBe(true)
    await command(ms, error)
    expect(breaker.state).toBe('open')
    expect(breaker.admits()).toBe(false)
  })

  it('does not wait for ever for a probe that never left', async () => {
    const { breaker, clock, many } = open()
    await many(50, 1, lost())
    await clock.advance(500)
    expect(breaker.admits()).toBe(true)
    await clock.advance(999)
    expect(breaker.admits()).toBe(false)
    await clock.advance(1)
    expect(breaker.admits()).toBe(true)
  })

  it('begins anew after it has closed: what was before does not count', async () => {
    const { breaker, clock, many, command } = open()
    await many(50, 1, lost())
    await clock.advance(500)
    for (let i = 0; i < 3; i++) {
      expect(breaker.admits()).toBe(true)
      await command()
    }
    await many(47)
    await command(1, lost())
    expect(breaker.state).toBe('closed')
  })

  it('learns nothing from commands that left before its state changed', async () => {
    const { breaker, clock, many } = open()
    const early = Array.from({ length: 100 }, () => breaker.begin())
    await many(50, 1, lost())
    await clock.advance(500)
    expect(breaker.admits()).toBe(true)
    for (const sample of early) breaker.end(sample)
    expect(breaker.state).toBe('half-open')
  })

  it('does not take an event loop that stood still for a slow server', async () => {
    const { breaker, changes } = open({ minVolume: 1 })
    const stalled = stallableClock()
    const alsoStalled = new Breaker(resolveBreaker({ minVolume: 1 }), stalled.clock, new LoopLag(stalled.clock), state =>
      changes.push(state),
    )
    const sample = alsoStalled.begin()
    stalled.stall(3_000)
    alsoStalled.end(sample, noReply())
    const read = alsoStalled.begin()
    stalled.stall(3_000)
    alsoStalled.end(read)
    expect(changes).toEqual([])
    expect(breaker.closed).toBe(true)
  })

  it('may be decided about by someone else', async () => {
    const { breaker, clock, many } = open({
      decide: ({ commands, failures }) => (failures * 2 > commands ? 'errors' : undefined),
    })
    await many(10)
    await many(10, 1, lost())
    expect(breaker.state).toBe('closed')
    await many(1, 1, lost())
    expect(breaker.state).toBe('open')
    expect(clock.pendingTimers).toBeLessThanOrEqual(1)
  })

  it('never opens when it is switched off', async () => {
    const clock = virtualClock()
    const breaker = new Breaker(resolveBreaker(false), clock, new LoopLag(clock), () => {})
    for (let i = 0; i < 1000; i++) breaker.end(breaker.begin(), lost())
    expect(breaker.closed).toBe(true)
  })
})

describe('the options of a breaker', () => {
  it.each([
    [{ errorRate: 2 }, 'breaker.errorRate'],
    [{ minVolume: 0 }, 'breaker.minVolume'],
    [{ latency: '0s' }, 'breaker.latency'],
    [{ window: 1 }, 'breaker.window'],
    [{ openFor: '1h' }, 'breaker.openFor'],
    [{ decide: 'never' }, 'breaker.decide'],
    [{ rate: 1 }, 'breaker.rate'],
    [true, 'breaker'],
    [null, 'breaker'],
  ])('%j are refused by name', (options, option) => {
    expect(() => resolveBreaker(options as BreakerOptions)).toThrow(expect.objectContaining({ option }))
  })
})

/** A clock whose time may pass without any timer firing, as while the event loop is busy. */
function stallableClock(): { readonly clock: VirtualClock; stall(ms: number): void } {
  const clock = virtualClock()
  let lostMs = 0
  return { clock: { ...clock, now: () => clock.now() + lostMs }, stall: ms => void (lostMs += ms) }
}

describe('a decide of the application', () => {
  const decided = (decide: () => unknown): Setting => open({ decide: decide as BreakerOptions['decide'] & {} })
  const wrong: readonly (readonly [what: string, decide: () => unknown, warning: string])[] = [
    [
      'throws',
      () => {
        throw new Error('boom')
      },
      'the option breaker.decide threw: Error: boom: the breaker stays closed',
    ],
    ['returns true', () => true, 'it returned true'],
    ['returns another word', () => 'nonsense', 'it returned "nonsense"'],
    ['returns a promise', () => Promise.resolve('errors'), 'it returned an instance of Promise'],
    ['returns a promise that rejects', () => Promise.reject(new Error('boom')), 'it returned an instance of Promise'],
  ]

  it.each(wrong)('that %s leaves it closed, with one warning', async (_, decide, warning) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { breaker, many } = decided(decide)
    await many(3, 1, lost())
    expect(breaker.state).toBe('closed')
    expect(warn.mock.calls).toEqual([[expect.stringContaining(warning), 'LeaseholdWarning']])
  })
})
