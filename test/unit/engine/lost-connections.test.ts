import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import { inTurn, lostReply, lostRequest, refused, type Fault } from '../../../src/testing/chaos-store.ts'
import { openFleet, track } from './stage.ts'

/** The connection is lost with the command on its way. */
function lostConnection(): Fault {
  return refused(new StoreError('STORE_UNAVAILABLE', 'unknown', 'the connection was lost'))
}

describe('a set whose connection is lost while the put is on its way', () => {
  it('is not over before the store would refuse the put: until then it may arrive, and overwrite what others do', async () => {
    const { a, clock, store } = openFleet({ commandTimeout: '100ms' }, inTurn({ put: [lostConnection()] }))
    await clock.advance(60_000)
    const set = track(clock, a.set('k', 'v'))
    await clock.advance(100)
    expect(set.state).toBe('pending')
    expect(store.count('remove')).toBe(0)
    await clock.advance(1)
    expect(set.state).toBe('fulfilled')
    expect(store.count('remove')).toBe(1)
  })
})

describe('a write that was tried twice', () => {
  const faults = [
    ['the connection was lost', lostConnection()],
    ['no reply came', lostReply()],
    ['the request was lost', lostRequest()],
  ] as const

  it.each(faults)(
    'may have been executed, so it is deferred whatever became of the second try (%s, then refused)',
    async (_, first) => {
      const { a, until } = openFleet(
        {},
        inTurn({ expire: [first, refused(new StoreError('STORE_REFUSED', 'not-executed', 'no permission'))] }),
      )
      expect(await until(a.expire('k'))).toBe('deferred')
    },
  )
})
