import { describe, expect, it } from 'vitest'
import { CommandGate } from '../../../src/core/calls/command-gate.ts'
import { slow } from '../../../src/testing/chaos-store.ts'
import { openFleet } from './stage.ts'

describe('a burst of cold keys', () => {
  it('asks for its leases a few hundred at a time, and stores every value', async () => {
    const { a, clock, source, store } = openFleet({}, ({ command }) => (command === 'acquire' ? slow(10, 10) : undefined))
    const keys = Array.from({ length: 600 }, (_, index) => `key-${index}`)
    const calls = Promise.all(keys.map(key => a.getOrSet(key, source.takes(5))))
    await clock.settle()
    expect(store.count('acquire')).toBe(256)
    await clock.runUntilSettled(calls)
    expect(source.loads).toBe(600)
    expect((await Promise.all(keys.map(key => a.has(key)))).every(Boolean)).toBe(true)
  })

  it('keeps renewing the leases of values that wait for their commit', async () => {
    const { a, clock, source, store } = openFleet({ lease: '300ms' }, ({ command }) =>
      command === 'commit' ? slow(40, 40) : undefined,
    )
    const keys = Array.from({ length: 600 }, (_, index) => `key-${index}`)
    await clock.runUntilSettled(Promise.all(keys.map(key => a.getOrSet(key, source.takes(5)))))
    expect(store.count('renew')).toBeGreaterThan(0)
    expect((await Promise.all(keys.map(key => a.has(key)))).every(Boolean)).toBe(true)
  })
})

describe('the gate', () => {
  it('lets 256 through at once, and each of the others in turn when one leaves', async () => {
    const gate = new CommandGate()
    for (let index = 0; index < 256; index++) expect(gate.enter()).toBeUndefined()
    const order: string[] = []
    const first = gate.enter()!.then(() => order.push('first'))
    const second = gate.enter()!.then(() => order.push('second'))
    gate.leave()
    await first
    expect(order).toEqual(['first'])
    gate.leave()
    await second
    expect(order).toEqual(['first', 'second'])
    gate.leave()
    expect(gate.enter()).toBeUndefined()
    expect(gate.enter()).not.toBeUndefined()
  })
})
