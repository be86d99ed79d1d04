import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { chaosStore, inTurn, slow } from '../../../src/testing/chaos-store.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import { openFleet, sleep, Source, watch } from './stage.ts'

/** A codec of the user's whose reader understands nothing that starts with an exclamation mark. */
const codec = {
  name: 'picky',
  id: 200,
  serialize: (value: unknown) => Buffer.from(String(value)),
  deserialize(bytes: Buffer) {
    if (bytes[0] === 0x21) throw new SyntaxError('not for me')
    return bytes.toString()
  },
}

describe('a stored value whose payload cannot be decoded', () => {
  it('is a miss when the acquire brings it, and not an error for the caller', async () => {
    const clock = virtualClock()
    const store = chaosStore(memoryStore(), inTurn({ acquire: [slow(20)] }))
    const [one, other] = [1, 2].map(seed => createCache({ namespace: 'test', store, clock, codec, random: seededRandom(seed) }))
    const events = watch(one!, 'decode-error', 'miss')
    const source = new Source(clock)
    const call = one!.getOrSet('k', source.takes(10))
    await sleepUntil(clock, 10)
    await other!.set('k', '!')
    expect(await clock.runUntilSettled(call)).toBe('load 1')
    expect(events).toMatchObject([
      { event: 'decode-error', reason: 'payload' },
      { event: 'miss', outcome: 'loaded' },
    ])
    expect(await other!.get('k')).toBe('load 1')
  })

  it('is a miss when it is read, and not offered again by the acquire', async () => {
    const { a, source, store, until } = openFleet({ codec })
    const events = watch(a, 'decode-error', 'hit', 'miss')
    await until(a.set('k', '!'))
    expect(await until(a.getOrSet('k', source.takes(10)))).toBe('load 1')
    expect(events).toMatchObject([
      { event: 'decode-error', reason: 'payload' },
      { event: 'miss', outcome: 'loaded' },
    ])
    expect(store.count('acquire')).toBe(1)
    expect(await a.get('k')).toBe('load 1')
  })

  it('does not stand in for a load that failed, however stale a value may be', async () => {
    const { a, clock, source, until } = openFleet({ codec, ttl: '1s', staleIfError: '1m' })
    await until(a.set('k', '!'))
    await clock.advance(1500)
    await expect(until(a.getOrSet('k', source.fails(10)))).rejects.toThrow('the source is down')
  })

  it('looks like none to who asks without a loader', async () => {
    const { a, until } = openFleet({ codec })
    await until(a.set('k', '!'))
    expect([await a.get('k'), await a.getEntry('k')]).toEqual([undefined, undefined])
  })
})

async function sleepUntil(clock: ReturnType<typeof virtualClock>, ms: number): Promise<void> {
  await clock.runUntilSettled(sleep(clock, ms))
}
