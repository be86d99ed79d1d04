import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/memory/memory-store.ts'
import { seededRandom, storeContract, virtualClock } from '../../src/testing/index.ts'

describe('the embedded store under virtual time', () => {
  const clock = virtualClock()
  const store = memoryStore()
  const cases = storeContract({
    open: context => store.open(context),
    clock,
    random: seededRandom(1),
    pass: ms => clock.advance(ms),
  })
  it.each(cases.map(each => [each.name, each.run] as const))('%s', async (_, run) => {
    await expect(run()).resolves.toBeUndefined()
  })

  it('leaves no timer behind', () => {
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('the embedded store under real time', () => {
  const store = memoryStore()
  const cases = storeContract({ open: context => store.open(context) })
  it.concurrent.each(cases.map(each => [each.name, each.run] as const))('%s', async (_, run) => {
    await expect(run()).resolves.toBeUndefined()
  })
})
