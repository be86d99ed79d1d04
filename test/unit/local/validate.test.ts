import { describe, expect, test } from 'vitest'
import { createCache, memoryStore, type Cache, type CacheOptions, type StoreProvider } from '../../../src/index.ts'
import { offset } from '../../../src/codec/header.ts'
import { answered, lostReply, slow, type ChaosScript } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch, type Fleet } from '../engine/stage.ts'

const large = (name: string): { name: string; text: string } => ({ name, text: name.repeat(10_000) })

function openValidating(options: Partial<CacheOptions> = {}, script?: ChaosScript): Fleet {
  return openFleet({ values: 'freeze', compression: false, local: { mode: 'validate' }, ...options }, script)
}

const neverLoads = (): never => expect.unreachable('the value is stored')

/** Stores `large(name)` by another process, and lets `a` remember it. */
async function remembered(
  { a, b, until }: Fleet,
  key: string,
  name: string = 'old',
  tags: readonly string[] = [],
): Promise<unknown> {
  await until(b.set(key, large(name), { tags }))
  return until(a.getOrSet(key, neverLoads))
}

/** What `a` has asked for since. */
function asked(fleet: Fleet): () => string[] {
  const before = fleet.store.calls.length
  return () => fleet.store.calls.slice(before).flatMap(({ command, client }) => (client === 0 ? [command] : []))
}

describe('a large value that is remembered', () => {
  test('is vouched for by the header of its entry, and is one and the same for every caller', async () => {
    const fleet = openValidating()
    const first = await remembered(fleet, 'k')
    const reads = asked(fleet)
    const [again, once] = [await fleet.until(fleet.a.getOrSet('k', neverLoads)), await fleet.until(fleet.a.get('k'))]
    expect(again).toEqual(large('old'))
    expect([again === first, once === first]).toEqual([true, true])
    expect(reads()).toEqual(['read-header', 'read-header'])
  })

  test('is never answered once it was deleted, whoever did', async () => {
    for (const by of ['a', 'b'] as const) {
      const fleet = openValidating()
      await remembered(fleet, 'k')
      expect(await fleet.until(fleet[by].delete('k'))).toBe('applied')
      expect(await fleet.until(fleet.a.getOrSet('k', () => large('new')))).toEqual(large('new'))
    }
  })

  test('is never answered once another was set in its place: that one is read whole, and remembered', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    await fleet.until(fleet.b.set('k', large('new')))
    const reads = asked(fleet)
    expect(await fleet.until(fleet.a.getOrSet('k', neverLoads))).toEqual(large('new'))
    expect(reads()).toEqual(['read-header', 'read'])
    expect(await fleet.until(fleet.a.getOrSet('k', neverLoads))).toEqual(large('new'))
    expect(reads()).toEqual(['read-header', 'read', 'read-header'])
  })

  test('that was replaced again between header and entry is answered as it stood last', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    await fleet.until(fleet.b.set('k', large('new')))
    fleet.store.script = ({ command, client }) => {
      if (command === 'read' && client === 0) void fleet.b.set('k', large('newest'))
      return command === 'read' ? slow(10) : undefined
    }
    expect(await fleet.until(fleet.a.getOrSet('k', neverLoads))).toEqual(large('newest'))
  })

  test('that was deleted between header and entry is loaded', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    await fleet.until(fleet.b.set('k', large('new')))
    fleet.store.script = ({ command, client }) => {
      if (command === 'read' && client === 0) void fleet.b.delete('k')
      return command === 'read' ? slow(10) : undefined
    }
    expect(await fleet.until(fleet.a.getOrSet('k', () => large('loaded')))).toEqual(large('loaded'))
  })

  test('whose entry is gone is loaded', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    await fleet.clock.advance(60_000)
    expect(await fleet.until(fleet.a.getOrSet('k', () => large('loaded')))).toEqual(large('loaded'))
  })

  test('whose entry was marked stale in place counts as stale', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    await fleet.until(fleet.b.expire('k'))
    expect(await fleet.until(fleet.a.getEntry('k'))).toMatchObject({ fresh: false, value: large('old') })
    expect(await fleet.until(fleet.a.getOrSet('k', () => large('loaded')))).toEqual(large('loaded'))
  })

  test('past its ttl is answered by the stale rules alone', async () => {
    const fleet = openValidating({ staleWhileRevalidate: '1m' })
    await remembered(fleet, 'k')
    await fleet.clock.advance(60_000)
    const stale = watch(fleet.a, 'stale')
    expect(await fleet.until(fleet.a.getOrSet('k', () => large('loaded')))).toEqual(large('old'))
    expect(stale).toMatchObject([{ reason: 'revalidate' }])
  })

  test.each(['tag', 'clear'] as const)('that was invalidated by %s is loaded', async by => {
    const fleet = openValidating()
    await remembered(fleet, 'k', 'old', ['catalogue'])
    await fleet.until(by === 'tag' ? fleet.b.invalidateTags('catalogue') : fleet.b.clear())
    expect(await fleet.until(fleet.a.getOrSet('k', () => large('loaded')))).toEqual(large('loaded'))
  })

  test('has all of its tags, although they do not fit into what is read', async () => {
    const fleet = openValidating()
    const tags = Array.from({ length: 64 }, (_, index) => `${'tag'.repeat(60)}-${index}`)
    await remembered(fleet, 'k', 'old', tags)
    await fleet.until(fleet.b.invalidateTags('of something else'))
    const reads = asked(fleet)
    expect(await fleet.until(fleet.a.getOrSet('k', neverLoads))).toEqual(large('old'))
    expect(reads()).toEqual(['read-header', 'newest-tag'])
    await fleet.until(fleet.b.invalidateTags(tags[63] as string))
    expect(await fleet.until(fleet.a.getOrSet('k', () => large('loaded')))).toEqual(large('loaded'))
  })

  test.each([
    ['another magic', offset.magic],
    ['another wire version', offset.version],
    ['a mark that there is not', offset.mark],
    ['another token', offset.token],
  ] as const)('is not trusted by a header with %s: the entry is read', async (_, at) => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    fleet.store.script = ({ command }) => (command === 'read-header' ? answered(damaged) : undefined)
    const whole = await entryOf(fleet, 'k')
    const damaged = Buffer.from(whole.subarray(0, 76))
    damaged[at] = 0x10
    const reads = asked(fleet)
    expect(await fleet.until(fleet.a.getOrSet('k', neverLoads))).toEqual(large('old'))
    expect(reads()).toEqual(['read-header', 'read'])
  })

  test('is not trusted by a header that is cut short', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    const short = (await entryOf(fleet, 'k')).subarray(0, 75)
    fleet.store.script = ({ command }) => (command === 'read-header' ? answered(short) : undefined)
    const reads = asked(fleet)
    expect(await fleet.until(fleet.a.getOrSet('k', neverLoads))).toEqual(large('old'))
    expect(reads()).toEqual(['read-header', 'read'])
  })

  test('is no answer when the header does not come: the call goes on as in any outage', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    fleet.store.script = () => lostReply()
    const errors = watch(fleet.a, 'store-error')
    expect(await fleet.until(fleet.a.getOrSet('k', () => large('loaded')))).toEqual(large('loaded'))
    expect(errors[0]).toMatchObject({ command: 'read', code: 'STORE_TIMEOUT' })
  })

  test('that has changed leaves the entry no more time than the header has left over', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    await fleet.until(fleet.b.set('k', large('new')))
    fleet.store.script = ({ command }) => (command === 'read-header' ? slow(70) : command === 'read' ? slow(70) : undefined)
    const startedAt = fleet.clock.now()
    const call = track(fleet.clock, fleet.a.get('k'))
    await fleet.clock.advance(100)
    expect([call.value, (call.at ?? 0) - startedAt]).toEqual([undefined, 100])
  })

  test('is told of with the length of its entry, not of what was read', async () => {
    const fleet = openValidating()
    const hits = watch(fleet.a, 'hit')
    await remembered(fleet, 'k')
    await fleet.until(fleet.a.getOrSet('k', neverLoads))
    expect(hits[0]?.bytes).toBeGreaterThan(30_000)
    expect(hits[1]?.bytes).toBe(hits[0]?.bytes)
    expect((await fleet.until(fleet.a.getEntry('k')))?.bytes).toBe(hits[0]?.bytes)
  })

  test('that its loader finds unchanged is stored again whole', async () => {
    const fleet = openValidating({ staleIfError: '1h' })
    await remembered(fleet, 'k')
    await fleet.clock.advance(60_000)
    await fleet.until(fleet.a.getOrSet('k', ({ notModified }) => notModified()))
    expect(await fleet.until(fleet.c.get('k'))).toEqual(large('old'))
  })
})

describe('values that are remembered', () => {
  test('are asked for whole while their entries are small', async () => {
    const fleet = openValidating()
    await fleet.until(fleet.b.set('k', { small: true }))
    const reads = asked(fleet)
    const [one, other] = [await fleet.until(fleet.a.get('k')), await fleet.until(fleet.a.get('k'))]
    expect(one === other).toBe(true)
    expect(reads()).toEqual(['read', 'read'])
  })

  test('of one key and different versions are told apart', async () => {
    const fleet = openValidating()
    await fleet.until(fleet.b.set('k', large('one'), { version: 1 }))
    await fleet.until(fleet.b.set('k', large('three'), { version: 3 }))
    for (let round = 0; round < 3; round++) {
      expect(await fleet.until(fleet.a.get('k', { version: 1 }))).toEqual(large('one'))
      expect(await fleet.until(fleet.a.get('k', { version: 3 }))).toEqual(large('three'))
    }
  })

  test('are forgotten when there are too many of them, and then read whole', async () => {
    const fleet = openValidating({ local: { mode: 'validate', maxEntries: 1 } })
    await remembered(fleet, 'k', 'one')
    await remembered(fleet, 'other', 'two')
    expect(fleet.a.status().local).toMatchObject({ entries: 1 })
    const reads = asked(fleet)
    expect(await fleet.until(fleet.a.getOrSet('k', neverLoads))).toEqual(large('one'))
    expect(reads()).toEqual(['read'])
  })

  test('answer the call that has asked for their header, even if they are forgotten before it comes', async () => {
    const fleet = openValidating({ local: { mode: 'validate', maxEntries: 1 } })
    await fleet.until(fleet.b.set('other', large('two')))
    await remembered(fleet, 'k', 'one')
    fleet.store.script = ({ command }) => (command === 'read-header' ? slow(50) : undefined)
    const asking = fleet.a.getOrSet('k', neverLoads)
    await fleet.until(fleet.a.getOrSet('other', neverLoads))
    const reads = asked(fleet)
    expect(await fleet.until(asking)).toEqual(large('one'))
    expect(reads()).toEqual([])
  })

  test('take no more memory than they may, by estimate', async () => {
    const fleet = openValidating({ local: { mode: 'validate', maxBytes: 200_000 } })
    for (let index = 0; index < 20; index++) await remembered(fleet, `k${index}`, 'abc')
    const { entries = 0, bytes = 0 } = fleet.a.status().local ?? {}
    expect(bytes).toBeLessThanOrEqual(200_000)
    expect([entries > 1, entries < 6]).toEqual([true, true])
  })

  test('too large to remember are read whole each time', async () => {
    const fleet = openValidating({ local: { mode: 'validate', maxBytes: 10_000 } })
    await remembered(fleet, 'k')
    const reads = asked(fleet)
    expect(await fleet.until(fleet.a.getOrSet('k', neverLoads))).toEqual(large('old'))
    expect(reads()).toEqual(['read'])
  })

  test('are no copies: peek has nothing to show, and no change is listened to', async () => {
    const fleet = openValidating()
    await remembered(fleet, 'k')
    expect(fleet.a.peek('k')).toBeUndefined()
    expect(fleet.a.status().local).toMatchObject({ trusted: false, entries: 1 })
  })
})

describe('a batch', () => {
  const keys = ['large', 'small', 'gone', 'changed', 'large', 'also large']
  const open = (store: StoreProvider): Cache =>
    createCache({ namespace: 'test', store, values: 'freeze', compression: false, local: { mode: 'validate' } })

  test.each([
    ['by their headers, the others together', undefined, { readHeader: 10, readMany: 3 }],
    ['by their headers, the others one by one, from a store that cannot read many', 'readMany', { readHeader: 10, readMany: 0 }],
    ['whole, from a store that has no headers to give', 'readHeader', { readHeader: 0, readMany: 3 }],
  ] as const)('reads large values %s, and answers in the order of the keys', async (_, lacking, expected) => {
    const counts = { readHeader: 0, readMany: 0 }
    const store = memoryStore()
    const [a, b] = [open(watched(store, counts, lacking)), open(store)]
    for (const key of keys) await b.set(key, key === 'small' ? 'small' : large(key))
    const before = await a.getMany(keys)
    await b.delete('gone')
    await b.set('changed', large('new'))
    const after = await a.getMany(keys)
    expect(after).toEqual([large('large'), 'small', undefined, large('new'), large('large'), large('also large')])
    expect([after[0] === before[0], after[4] === before[0], after[5] === before[5]]).toEqual([true, true, true])
    const loaded = await a.getOrSetMany(keys, missing => missing.map(key => `loaded ${key}`))
    expect(loaded).toEqual(after.map(value => value ?? 'loaded gone'))
    expect(counts).toEqual(expected)
    await Promise.all([a.close(), b.close()])
  })
})

describe('the option', () => {
  test.each([{}, { values: 'copy' }] as const)('is refused with %o, whose values everybody may change', values => {
    expect(() => createCache({ namespace: 'test', local: { mode: 'validate' }, ...values })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        option: 'local.mode',
        message: `Option "local.mode" must be 'off' or 'trust' unless values is 'freeze'; got "validate"`,
      }),
    )
  })
})

/** All that is stored for a key of `fleet`. */
async function entryOf({ clock, store }: Fleet, key: string): Promise<Buffer> {
  const listeners = { onWake: () => {}, onBus: () => {}, onReady: () => {} }
  const random = { next: () => 0, token: () => Buffer.alloc(16) }
  const opened = store.open({ namespace: 'test', clock, random, maxKeyBytes: 512, listeners })
  const bytes = await opened.read({ key, version: 0 }, 100)
  await opened.close()
  if (bytes === null) throw new Error(`nothing is stored for ${key}`)
  return bytes
}

/** Counts what is asked for; without the method `lacking`. */
function watched(
  provider: StoreProvider,
  counts: { readHeader: number; readMany: number },
  lacking: 'readHeader' | 'readMany' | undefined,
): StoreProvider {
  return {
    ...provider,
    open: context =>
      new Proxy(provider.open(context), {
        get(store, name) {
          const found: unknown = name === lacking ? undefined : Reflect.get(store, name)
          if (typeof found !== 'function') return found
          return (...args: unknown[]): unknown => {
            if (name === 'readHeader' || name === 'readMany') counts[name]++
            return found.apply(store, args)
          }
        },
      }),
  }
}
