import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { chaosStore, inTurn, slow } from '../../../src/testing/chaos-store.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import { sleep, Source, watch } from './stage.ts'

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
})

async function sleepUntil(clock: ReturnType<typeof virtualClock>, ms: number): Promise<void> {
  await clock.runUntilSettled(sleep(clock, ms))
}
