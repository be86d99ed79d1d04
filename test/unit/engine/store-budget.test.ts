import { describe, expect, it } from 'vitest'
import { StoreBudget } from '../../../src/core/calls/store-budget.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import type { AcquireRequest } from '../../../src/core/ports.ts'
import { slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, sleep } from './stage.ts'

describe('what a call may spend on the store', () => {
  function open(commandTimeoutMs: number, budgetMs: number) {
    const clock = virtualClock()
    const budget = new StoreBudget(clock, commandTimeoutMs, budgetMs)
    const spend = (ms: number): Promise<void> => clock.runUntilSettled(budget.spend(() => sleep(clock, ms)))
    return { budget, clock, spend }
  }

  it('is the command timeout for each command, until less than that is left', async () => {
    const { budget, spend } = open(100, 250)
    expect(budget.timeoutMs(false)).toBe(100)
    await spend(90)
    await spend(90)
    expect(budget.timeoutMs(false)).toBe(70)
    await spend(100)
    expect(budget.timeoutMs(false)).toBe(0)
  })

  it('counts no more than its timeout for a command: the rest is a busy event loop', async () => {
    const { budget, spend } = open(100, 250)
    await spend(5000)
    expect(budget.timeoutMs(true)).toBe(50)
  })

  it('leaves room for the commit', async () => {
    const { budget, spend } = open(100, 250)
    expect(budget.timeoutMs(true)).toBe(100)
    await spend(100)
    expect(budget.timeoutMs(true)).toBe(50)
    await spend(50)
    expect(budget.timeoutMs(true)).toBe(0)
    expect(budget.timeoutMs(false)).toBe(100)
  })

  it('is shared out evenly where it is too small for two commands', () => {
    const { budget } = open(500, 500)
    expect(budget.timeoutMs(true)).toBe(250)
  })

  it('does not count what the clock shows between commands', async () => {
    const { budget, clock, spend } = open(100, 250)
    await spend(10)
    await clock.advance(60_000)
    expect(budget.timeoutMs(true)).toBe(100)
    await spend(100)
    expect(budget.timeoutMs(true)).toBe(40)
  })

  it('counts a command that fails', async () => {
    const { budget, clock } = open(100, 250)
    const failing = budget.spend(async () => {
      await sleep(clock, 100)
      throw new Error('no')
    })
    await expect(clock.runUntilSettled(failing)).rejects.toThrow('no')
    expect(budget.timeoutMs(true)).toBe(50)
  })

  it('is less by what the read has cost, whenever the call began', async () => {
    const { a, clock, source, store, until } = openFleet({ commandTimeout: '100ms', storeBudget: '200ms' }, ({ command }) =>
      command === 'read' ? slow(15, 15) : undefined,
    )
    await clock.advance(60_000)
    await until(a.getOrSet('k', source.takes(10)))
    const asked = store.calls.filter(({ command }) => command === 'acquire').map(({ request }) => request as AcquireRequest)
    expect(asked).toMatchObject([{ timeoutMs: 70 }])
  })

  it('starts anew after a wait for the lease', async () => {
    const { budget, spend } = open(100, 250)
    await spend(200)
    budget.refill()
    expect(budget.timeoutMs(true)).toBe(100)
  })
})
