import { describe, expect, it } from 'vitest'
import { EventLoopDelay } from '../../../src/core/flights/event-loop-delay.ts'
import { LeaseKeeper } from '../../../src/core/flights/lease-keeper.ts'
import type { RenewRequest, Store } from '../../../src/core/ports.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'

const key = { key: 'k', version: 0 }

function open(renew: (request: RenewRequest) => Promise<boolean> = async () => true) {
  const clock = virtualClock()
  const random = seededRandom(1)
  const renewals: { readonly at: number; readonly request: RenewRequest }[] = []
  const errors: unknown[] = []
  const store = {
    renew(request: RenewRequest) {
      renewals.push({ at: clock.now(), request })
      return renew(request)
    },
  } as Store
  const delay = new EventLoopDelay()
  const keeper = new LeaseKeeper(store, clock, delay, (_key, error) => errors.push(error))
  let lost = 0
  const hold = (leaseMs: number) => keeper.hold(key, random.token(), leaseMs, () => lost++)
  const times = (): number[] => renewals.map(({ at }) => at)
  return { clock, delay, errors, hold, keeper, lost: () => lost, renewals, times }
}

describe('the lease keeper', () => {
  it('renews each lease every third of its length, for its whole length', async () => {
    const { clock, hold, renewals, times } = open()
    const lease = hold(900)
    await clock.advance(1000)
    expect(times()).toEqual([300, 600, 900])
    expect(renewals[0]!.request).toEqual({ ...key, token: lease.token, leaseMs: 900, timeoutMs: 300 })
  })

  it('renews leases of any length and age from one timer', async () => {
    const { clock, hold, times } = open()
    hold(900)
    await clock.advance(50)
    hold(300)
    hold(3000)
    expect(clock.pendingTimers).toBe(1)
    await clock.advance(350)
    expect(times()).toEqual([150, 250, 300, 350])
    expect(clock.pendingTimers).toBe(1)
  })

  it('does not keep the process alive', async () => {
    const { clock, hold } = open()
    hold(900)
    await clock.runUntilIdle()
    expect(clock.now()).toBe(0)
  })

  it('stops with the last lease', async () => {
    const { clock, hold, keeper, times } = open()
    const [one, other] = [hold(900), hold(900)]
    keeper.drop(one)
    await clock.advance(300)
    expect(times()).toEqual([300])
    keeper.drop(other)
    expect(clock.pendingTimers).toBe(0)
    keeper.drop(other)
  })

  it('tells once that a lease is lost, and renews it no more', async () => {
    const { clock, hold, lost, times } = open(async () => false)
    hold(900)
    await clock.advance(5000)
    expect(lost()).toBe(1)
    expect(times()).toEqual([300])
  })

  it('keeps renewing after a failure: it is no loss', async () => {
    let fails = 2
    const { clock, errors, hold, lost, times } = open(async () => {
      if (fails-- > 0) throw new Error('no reply')
      return true
    })
    hold(900)
    await clock.advance(900)
    expect(times()).toEqual([300, 600, 900])
    expect(errors.length).toBe(2)
    expect(lost()).toBe(0)
  })

  it('does not call a lease lost that was dropped while its renewal was on the wire', async () => {
    const { clock, hold, keeper, lost } = open(() => new Promise(resolve => void setImmediate(() => resolve(false))))
    const lease = hold(900)
    const passing = clock.advance(300)
    await Promise.resolve()
    keeper.drop(lease)
    await passing
    await clock.settle()
    expect(lost()).toBe(0)
  })

  it('tells how late its own timer was', async () => {
    const { clock, delay, hold } = open()
    const { setTimeout } = clock
    clock.setTimeout = (callback, delayMs) => setTimeout(callback, delayMs + 80)
    hold(900)
    await clock.advance(400)
    expect(delay.current(clock.now())).toBeGreaterThan(79)
  })
})
