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
  for (const { name, run } of cases) it(name, run)

  it('leaves no timer behind', () => {
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('the embedded store under real time', () => {
  const store = memoryStore()
  for (const { name, run } of storeContract({ open: context => store.open(context) })) it.concurrent(name, run)
})
