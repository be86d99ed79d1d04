import { expect, it } from 'vitest'
import { openFleet } from './stage.ts'

it('a lease that was lost leaves no timer behind, so that close leaves none', async () => {
  const { a, b, clock, source, until } = openFleet({ lease: '900ms' })
  const load = a.getOrSet('k', source.takes(400))
  await clock.advance(100)
  await b.delete('k')
  // The renewal at 300 ms is told that the lease is lost; the load goes on for its caller.
  expect(await until(load)).toBe('load 1')
  await until(a.close())
  expect(clock.pendingTimers).toBe(0)
})
