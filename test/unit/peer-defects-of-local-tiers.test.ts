import { describe, expect, it } from 'vitest'
import { chaosStore, slow } from '../../src/testing/chaos-store.ts'
import { openFleet, track, type Fleet } from './engine/stage.ts'
import { memoryStoreWith, type Bus } from './local/bus.ts'

const unwanted = (): never => {
  throw new Error('nothing is to be loaded')
}

/** Every process trusts its copies, as soon as the bus has proved itself. */
async function openTrusting(local: { readonly ttl?: number } = {}): Promise<Fleet & { readonly bus: Bus }> {
  const bus: Bus = { silent: false }
  const store = chaosStore(memoryStoreWith(bus))
  const fleet = openFleet({ local: { mode: 'trust', ...local }, store })
  await fleet.clock.settle()
  return { ...fleet, store, bus }
}

/** Defects of local tiers that other caches were seen to have, one test each. */
describe('bentocache', () => {
  it('6: a copy is not filled by a read that was on its way when the message came', async () => {
    const { a, b, clock, store, until } = await openTrusting()
    store.script = ({ command, client, nth }) => (command === 'read' && client === 0 && nth === 1 ? slow(0, 50) : undefined)
    await until(b.set('k', 'old'))
    const late = track(clock, a.getOrSet('k', unwanted))
    await clock.advance(20)
    await until(b.set('k', 'new'))
    await clock.advance(50)
    expect(late.value).toBe('old')
    expect(await until(a.getOrSet('k', unwanted))).toBe('new')
  })
})

describe.each(['bentocache', 'layered-loader'])('%s', () => {
  it('who missed a message answers no old copy once the bus is back', async () => {
    const { a, b, bus, clock, until } = await openTrusting()
    await until(b.set('k', 'old'))
    expect(await until(a.getOrSet('k', unwanted))).toBe('old')
    bus.silent = true
    await until(b.set('k', 'new'))
    bus.silent = false
    await clock.advance(1_000)
    expect(await until(a.getOrSet('k', unwanted))).toBe('new')
  })
})

describe('cacheable', () => {
  it('5: sets at the same time leave the same value in every process', async () => {
    const { a, b, caches, clock, store, until } = await openTrusting()
    store.script = ({ command, client }) => (command === 'put' ? slow(client === 0 ? 30 : 10, client === 0 ? 0 : 40) : undefined)
    await until(Promise.all([a.set('k', 'of a'), b.set('k', 'of b')]))
    await clock.advance(100)
    const answers = await until(Promise.all(caches.map(cache => cache.getOrSet('k', unwanted))))
    expect(answers).toEqual(['of a', 'of a', 'of a'])
  })

  it('#1226: copies may live shorter than what is stored', async () => {
    const { a, clock, store, until } = await openTrusting({ ttl: 500 })
    await until(a.set('k', 'v', { ttl: '1h' }))
    await until(a.getOrSet('k', unwanted))
    const reads = store.count('read', 0)
    await until(a.getOrSet('k', unwanted))
    expect(store.count('read', 0)).toBe(reads)
    await clock.advance(501)
    expect(await until(a.getOrSet('k', unwanted))).toBe('v')
    expect(store.count('read', 0)).toBe(reads + 1)
  })
})

describe('others', () => {
  it('FusionCache #613: a copy is not filled from the store in the middle of a delete', async () => {
    const { a, bus, clock, store, until } = await openTrusting()
    await until(a.set('k', 'old'))
    // No message helps.
    bus.silent = true
    store.script = ({ command }) => (command === 'remove' ? slow(50, 20) : undefined)
    const deleting = track(clock, a.delete('k'))
    await clock.advance(10)
    await until(a.get('k'))
    await clock.advance(100)
    expect(deleting.state).toBe('fulfilled')
    expect(a.peek('k')).toBeUndefined()
    expect(await until(a.get('k'))).toBeUndefined()
  })
})

describe('by many keys', () => {
  it('bentocache #78 #22, FusionCache #16: what is not stored of many keys is loaded together, and a failed key fails alone', async () => {
    const { a, until } = openFleet()
    await until(a.set('one', 1))
    const asked: (readonly string[])[] = []
    const results = await until(
      a.getOrSetManySettled(['one', 'two', 'bad', 'two'], async keys => {
        asked.push(keys)
        return keys.map(key => (key === 'bad' ? new Error('no such row') : key))
      }),
    )
    expect(asked).toEqual([['two', 'bad']])
    expect(results).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'fulfilled', value: 'two' },
      { status: 'rejected', reason: new Error('no such row') },
      { status: 'fulfilled', value: 'two' },
    ])
    expect(await until(a.get('two'))).toBe('two')
  })
})
