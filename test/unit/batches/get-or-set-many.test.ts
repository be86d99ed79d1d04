import { describe, expect, it } from 'vitest'
import { BatchError, isLeaseholdError } from '../../../src/core/errors.ts'
import { refused, slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch, type Fleet } from '../engine/stage.ts'
import { keysOf, ManySource } from './stage.ts'

function open(...options: Parameters<typeof openFleet>): Fleet & { readonly many: ManySource } {
  const fleet = openFleet(...options)
  return { ...fleet, many: new ManySource(fleet.clock) }
}

async function batchError(call: Promise<unknown>): Promise<BatchError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isLeaseholdError(error, 'BATCH_FAILED')) throw new Error('the batch did not fail', { cause: error })
  return error
}

describe('the values of a batch', () => {
  it('come in the order of the keys, those asked for twice included', async () => {
    const { a, many, until } = open()
    expect(await until(a.getOrSetMany(['b', 'a', 'b', 'c'], many.takes(10)))).toEqual(['b #1', 'a #1', 'b #1', 'c #1'])
    expect(many.asked).toEqual([['b', 'a', 'c']])
  })

  it('that are stored are not loaded, and the others are in one load', async () => {
    const { a, b, many, until } = open()
    await until(Promise.all([a.set('k1', 'stored'), a.set('k3', null)]))
    expect(await until(b.getOrSetMany(keysOf(5), many.takes(10)))).toEqual(['k0 #1', 'stored', 'k2 #1', null, 'k4 #1'])
    expect(many.asked).toEqual([['k0', 'k2', 'k4']])
    expect(await until(a.getOrSetMany(keysOf(5), many.takes(10)))).toEqual(['k0 #1', 'stored', 'k2 #1', null, 'k4 #1'])
    expect(many.asked).toHaveLength(1)
  })

  it('are none for no keys', async () => {
    const { a, many } = open()
    expect(await a.getOrSetMany([], many.takes(10))).toEqual([])
    expect(await a.getMany([])).toEqual([])
    expect(many.asked).toEqual([])
  })

  it('are read and loaded whatever their number', async () => {
    const { a, b, many, until } = open()
    const keys = keysOf(600)
    expect(await until(a.getOrSetMany(keys, many.takes(10)))).toEqual(keys.map(key => `${key} #1`))
    expect(many.asked).toHaveLength(1)
    expect(await until(b.getMany(keys))).toEqual(keys.map(key => `${key} #1`))
  })

  it('are told by the events of single calls', async () => {
    const { a, many, until } = open()
    await until(a.set('k0', 'stored'))
    const records = watch(a, 'hit', 'miss', 'load', 'commit')
    await until(a.getOrSetMany(['k0', 'k1'], many.takes(10)))
    expect(records.map(({ event, key }) => `${event} ${key}`)).toEqual(['hit k0', 'load k1', 'commit k1', 'miss k1'])
  })

  it('that are undefined are answered and not stored', async () => {
    const { a, many, until } = open()
    const load = many.gives<string | undefined>(keys => keys.map(key => (key === 'k1' ? undefined : key)))
    expect(await until(a.getOrSetMany(['k0', 'k1'], load))).toEqual(['k0', undefined])
    expect(await a.has('k0')).toBe(true)
    expect(await a.has('k1')).toBe(false)
  })
})

describe('a key that fails', () => {
  it('does not fail the others, and the error names it', async () => {
    const { a, many, until } = open()
    const gone = new Error('gone')
    const load = many.gives<string>(keys => keys.map(key => (key === 'k1' ? gone : `${key} loaded`)))
    const error = await batchError(until(a.getOrSetMany(['k0', 'k1', 'k2', 'k1'], load)))
    expect(error).toBeInstanceOf(BatchError)
    expect([...error.errors]).toEqual([['k1', gone]])
    expect(error.message).toContain('"k1" (gone)')
    expect(error.cause).toBe(gone)
    expect(error.results).toEqual([
      { status: 'fulfilled', value: 'k0 loaded' },
      { status: 'rejected', reason: gone },
      { status: 'fulfilled', value: 'k2 loaded' },
      { status: 'rejected', reason: gone },
    ])
    expect(await a.getMany(['k0', 'k1', 'k2'])).toEqual(['k0 loaded', undefined, 'k2 loaded'])
  })

  it('is told in its place by the settled form', async () => {
    const { a, many, until } = open()
    const gone = new Error('gone')
    const load = many.gives<string>(keys => keys.map(key => (key === 'k1' ? gone : key)))
    expect(await until(a.getOrSetManySettled(['k0', 'k1'], load))).toEqual([
      { status: 'fulfilled', value: 'k0' },
      { status: 'rejected', reason: gone },
    ])
  })

  it('takes what is stale if that may stand in', async () => {
    const { a, many, sleep, until } = open({ ttl: '1s', staleIfError: '1h' })
    await until(a.set('k0', 'old'))
    await until(sleep(2_000))
    const error = await batchError(until(a.getOrSetMany(['k0', 'k1'], many.fails(10))))
    expect([...error.errors.keys()]).toEqual(['k1'])
    expect(error.results[0]).toEqual({ status: 'fulfilled', value: 'old' })
  })

  it('shares its error with all others of a load that failed as a whole', async () => {
    const { a, many, until } = open()
    const down = new Error('down')
    const error = await batchError(until(a.getOrSetMany(keysOf(8), many.fails(10, down))))
    expect([...error.errors]).toEqual(keysOf(8).map(key => [key, down]))
    expect(error.message).toMatch(/^8 of the keys failed: .* and 3 more/)
    expect(many.asked).toHaveLength(1)
  })

  it.each([
    ['too few values', () => ['one']],
    ['too many values', () => ['one', 'two', 'three']],
    ['no array', () => 'one' as unknown as string[]],
  ])('is one of a load that returned %s', async (_, load) => {
    const { a, many, until } = open()
    const error = await batchError(until(a.getOrSetMany(['k0', 'k1'], many.gives<string>(load))))
    expect([...error.errors.values()].map(each => isLeaseholdError(each, 'INVALID_LOADER'))).toEqual([true, true])
    expect(await a.getMany(['k0', 'k1'])).toEqual([undefined, undefined])
  })

  it('is the only one of which the codec refuses the value', async () => {
    const { a, many, until } = open()
    const load = many.gives<unknown>(keys => keys.map(key => (key === 'k1' ? () => 1 : key)))
    const error = await batchError(until(a.getOrSetMany(['k0', 'k1'], load)))
    expect([...error.errors.keys()]).toEqual(['k1'])
    expect(isLeaseholdError(error.errors.get('k1'), 'UNSERIALIZABLE_VALUE')).toBe(true)
    expect(await a.get('k0')).toBe('k0')
  })
})

describe('the load of a batch', () => {
  it('leaves once, for all keys whose lease was granted, however slow the store is', async () => {
    const { a, many, until } = open({ commandTimeout: '1s', storeBudget: '10s' }, ({ command, nth }) =>
      command === 'acquire' ? slow(nth * 7, nth * 3) : undefined,
    )
    await until(a.getOrSetMany(keysOf(20), many.takes(10)))
    expect(many.asked).toEqual([keysOf(20)])
  })

  it('takes one round trip for the reads, one for the acquires and one for the commits', async () => {
    const { a, many, store, until } = open({}, () => slow(10, 10))
    await until(a.getOrSetMany(keysOf(200), many.takes(50)))
    const sentAt = (command: string): number[] => [
      ...new Set(store.calls.filter(call => call.command === command).map(call => call.sentAt)),
    ]
    expect([sentAt('read'), sentAt('acquire'), sentAt('commit')]).toEqual([[0], [20], [90]])
    expect(store.count('acquire')).toBe(200)
  })

  it('does not wait for keys that another process loads, whose values it takes', async () => {
    const { a, b, clock, many, source, until } = open()
    const other = b.getOrSet('k1', source.takes(500))
    await clock.advance(10)
    const batch = a.getOrSetMany(['k0', 'k1', 'k2'], many.takes(100))
    await clock.advance(50)
    expect(many.asked).toEqual([['k0', 'k2']])
    expect(await until(batch)).toEqual(['k0 #1', 'load 1', 'k2 #1'])
    expect(many.asked).toHaveLength(1)
    expect(await until(other)).toBe('load 1')
  })

  it('is followed by another for the keys whose other holder failed', async () => {
    const { a, b, clock, many, until } = open()
    const failed = b.getOrSetManySettled(['k1', 'k2'], new ManySource(clock).fails(500))
    await clock.advance(10)
    expect(await until(a.getOrSetMany(['k0', 'k1', 'k2'], many.takes(10)))).toEqual(['k0 #1', 'k1 #2', 'k2 #2'])
    expect(many.asked).toEqual([['k0'], ['k1', 'k2']])
    await until(failed)
  })

  it('loads each key once when batches of many processes overlap', async () => {
    const { caches, many, until } = open({}, () => slow(1, 1))
    const keys = keysOf(60)
    const parts = caches.map((_, index) => keys.slice(index * 10, index * 10 + 40))
    const values = await until(Promise.all(caches.map((cache, index) => cache.getOrSetMany(parts[index]!, many.takes(50)))))
    expect(many.asked.flat().toSorted()).toEqual(keys.toSorted())
    for (const [index, part] of parts.entries()) expect(values[index]!.map(value => value.split(' ')[0])).toEqual(part)
  })

  it('loads each key once when batches and single calls of one process overlap', async () => {
    const { a, many, source, until } = open()
    const calls = [
      a.getOrSetMany(['k0', 'k1', 'k2'], many.takes(50)),
      a.getOrSet('k1', source.takes(50)),
      a.getOrSetMany(['k1', 'k2', 'k3'], many.takes(50)),
    ]
    const [first, single, second] = await until(Promise.all(calls))
    expect(first![1]).toBe(second![0])
    expect(single).toBe(first![1])
    expect([...many.asked.flat(), ...Array<string>(source.loads).fill('k1')].toSorted()).toEqual(keysOf(4))
  })

  it('joins flights that are open, unread', async () => {
    const { a, clock, many, source, store, until } = open()
    const single = a.getOrSet('k1', source.takes(100))
    await clock.advance(10)
    const reads = store.count('read')
    expect(await until(a.getOrSetMany(['k0', 'k1'], many.takes(10)))).toEqual(['k0 #1', 'load 1'])
    expect(store.count('read')).toBe(reads + 1)
    expect(many.asked).toEqual([['k0']])
    await until(single)
  })

  it('runs without leases, once, when the store cannot be read', async () => {
    const { a, many, until } = open({}, () => refused())
    const records = watch(a, 'load')
    expect(await until(a.getOrSetMany(keysOf(3), many.takes(10)))).toEqual(['k0 #1', 'k1 #1', 'k2 #1'])
    expect(many.asked).toEqual([keysOf(3)])
    expect(records.map(({ leased }) => leased)).toEqual([false, false, false])
  })

  it('is not held up by a key whose acquire is lost', async () => {
    const { a, many, until } = open({}, ({ command, key }) =>
      command === 'acquire' && key === 'k1' ? slow(Infinity) : undefined,
    )
    expect(await until(a.getOrSetMany(keysOf(3), many.takes(10)))).toEqual(['k0 #1', 'k1 #1', 'k2 #1'])
    expect(many.asked).toEqual([['k0', 'k2', 'k1']])
  })

  it('does not store a key that was deleted meanwhile, and does store the others', async () => {
    const { a, b, clock, many, until } = open()
    const batch = a.getOrSetMany(['k0', 'k1'], many.takes(100))
    await clock.advance(50)
    await until(b.delete('k1'))
    const late = b.getOrSet('k1', () => 'new')
    expect(await until(late)).toBe('new')
    expect(await until(batch)).toEqual(['k0 #1', 'k1 #1'])
    expect(await until(b.getMany(['k0', 'k1']))).toEqual(['k0 #1', 'new'])
  })

  it('does not answer a batch that came after a delete with what was loaded before', async () => {
    const { a, clock, many, until } = open()
    const early = a.getOrSetMany(['k0', 'k1'], many.takes(100))
    await clock.advance(50)
    await until(a.delete('k1'))
    const late = a.getOrSetMany(['k0', 'k1'], many.takes(100))
    expect(await until(early)).toEqual(['k0 #1', 'k1 #1'])
    expect(await until(late)).toEqual(['k0 #1', 'k1 #2'])
  })

  it('refuses to wait for itself', async () => {
    const { a, many, until } = open()
    const load = async (keys: readonly string[]): Promise<string[]> => {
      await a.getOrSet('k1', () => 'inner')
      return [...keys]
    }
    const error = await batchError(until(a.getOrSetMany(['k0', 'k1'], load)))
    expect([...error.errors.values()].map(each => isLeaseholdError(each, 'LOADER_RECURSION'))).toEqual([true, true])
    const nested = many.gives<string>(keys => [...keys])
    expect(
      await until(
        a.getOrSetMany(['k2', 'k3'], keys =>
          a.getOrSetMany(
            keys.map(key => `${key}'`),
            nested,
          ),
        ),
      ),
    ).toEqual(["k2'", "k3'"])
  })

  it('cannot have its keys put in another order, by which values would come under the keys of others', async () => {
    const { a, until } = openFleet()
    const turning = (keys: readonly string[]): string[] => {
      const turned = keys as string[]
      turned.push(turned.shift() as string)
      return turned.map(key => key.toUpperCase())
    }
    await expect(until(a.getOrSetMany(['b', 'a'], turning))).rejects.toMatchObject({ code: 'BATCH_FAILED' })
    expect(await until(a.getMany(['b', 'a']))).toEqual([undefined, undefined])
    const things = a.define('thing', { key: (id: string) => ({ id }), loadMany: turning })
    await expect(until(things.getMany(['b', 'a']))).rejects.toMatchObject({ code: 'BATCH_FAILED' })
  })

  it('gives each key its own loader context', async () => {
    const { a, many, sleep, until } = open({ ttl: '1s', staleIfError: '1h' })
    await until(a.set('k0', 'old'))
    await until(sleep(2_000))
    const load = many.gives<string>((keys, { each }) => {
      each[1]!.setTtl('1h')
      each[2]!.skip()
      return [each[0]!.notModified(), ...keys.slice(1)]
    })
    expect(await until(a.getOrSetMany(keysOf(3), load))).toEqual(['old', 'k1', 'k2'])
    expect(many.contexts[0]!.each.map(({ key, stale }) => [key, stale?.value])).toEqual([
      ['k0', 'old'],
      ['k1', undefined],
      ['k2', undefined],
    ])
    expect(await a.get('k0')).toBe('old')
    expect((await a.getEntry('k1'))?.freshForMs).toBe(3_600_000)
    expect(await a.has('k2')).toBe(false)
  })

  it('is told by its signal when nobody wants any of its keys, and not before', async () => {
    const { a, clock, many } = open()
    const one = new AbortController()
    const other = new AbortController()
    const batch = track(clock, a.getOrSetMany(['k0', 'k1'], many.takes(1_000), { signal: one.signal }))
    await clock.advance(50)
    const single = track(
      clock,
      a.getOrSet('k1', () => 'never', { signal: other.signal }),
    )
    await clock.advance(50)
    one.abort(new Error('enough'))
    await clock.settle()
    expect(batch.error).toBe(one.signal.reason)
    expect(many.contexts[0]!.signal.aborted).toBe(false)
    other.abort()
    await clock.settle()
    expect(single.error).toBe(other.signal.reason)
    expect(many.contexts[0]!.signal.aborted).toBe(true)
  })

  it('answers at the hard timeout, and aborts', async () => {
    const { a, clock, many, until } = open({ timeout: { hard: 100 } })
    const error = await batchError(until(a.getOrSetMany(['k0', 'k1'], many.takes(500))))
    expect([...error.errors.values()].map(each => isLeaseholdError(each, 'LOAD_TIMEOUT'))).toEqual([true, true])
    await clock.advance(1)
    expect(many.contexts[0]!.signal.aborted).toBe(true)
  })

  it('is forced for stored values too', async () => {
    const { a, many, until } = open()
    await until(a.set('k0', 'stored'))
    expect(await until(a.getOrSetMany(['k0', 'k1'], many.takes(10), { forceFresh: true }))).toEqual(['k0 #1', 'k1 #1'])
    expect(await a.get('k0')).toBe('k0 #1')
  })

  it('refreshes stale values behind the callers, in one load of their own', async () => {
    const { a, clock, many, sleep, until } = open({ ttl: '1s', staleWhileRevalidate: '1h' })
    await until(a.setMany(['k0', 'k1'].map(key => [key, 'old'] as const)))
    await until(sleep(2_000))
    expect(await until(a.getOrSetMany(keysOf(3), many.takes(10)))).toEqual(['old', 'old', 'k2 #2'])
    await clock.advance(20)
    expect(many.asked).toEqual([['k0', 'k1'], ['k2']])
    expect(many.contexts.map(({ background }) => background)).toEqual([true, false])
    expect(await a.getMany(['k0', 'k1'])).toEqual(['k0 #1', 'k1 #1'])
  })
})

describe('a batch', () => {
  it('refuses keys, options and loaders that are none, before any work is done', async () => {
    const { a, many, store } = open()
    await expect(a.getOrSetMany(['k', ''], many.takes(1))).rejects.toMatchObject({ code: 'INVALID_KEY' })
    await expect(a.getOrSetMany('k' as unknown as string[], many.takes(1))).rejects.toMatchObject({ code: 'INVALID_KEY' })
    await expect(a.getOrSetMany(['k'], many.takes(1), { ttl: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(a.getOrSetMany(['k'], undefined as never)).rejects.toMatchObject({ code: 'INVALID_LOADER' })
    await expect(a.getMany(['k'], { ttl: 1 } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' })
    await expect(a.setMany([['', 1]])).rejects.toMatchObject({ code: 'INVALID_KEY' })
    expect(store.calls).toEqual([])
  })

  it('is let finish by close, and none begins afterwards', async () => {
    const { a, clock, many, until } = open()
    const batch = a.getOrSetMany(['k0', 'k1'], many.takes(100))
    await clock.advance(10)
    const closing = a.close()
    await expect(a.getOrSetMany(['k2'], many.takes(1))).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
    await expect(a.getMany(['k2'])).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
    expect(await until(batch)).toEqual(['k0 #1', 'k1 #1'])
    await until(closing)
  })

  it('that was aborted before it began asks for nothing', async () => {
    const { a, many, store } = open()
    const reason = new Error('no')
    await expect(a.getOrSetMany(['k'], many.takes(1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(store.calls).toEqual([])
  })
})

describe('reading many without a loader', () => {
  it('finds what is fresh, and looks empty where the store fails', async () => {
    const { a, store, sleep, until } = open({ staleIfError: '1h' })
    await until(
      a.setMany(
        new Map([
          ['k0', 0],
          ['k1', 1],
        ]),
        { ttl: '1s' },
      ),
    )
    await until(a.setMany([['k2', false]], { ttl: '1h' }))
    await until(sleep(2_000))
    expect(await a.getMany(['k2', 'k0', 'k3', 'k2'])).toEqual([false, undefined, undefined, false])
    const errors = watch(a, 'store-error')
    store.script = () => refused()
    expect(await a.getMany(['k2'])).toEqual([undefined])
    expect(errors.map(({ command, key }) => `${command} ${key}`)).toEqual(['read k2'])
  })

  it('tells each look', async () => {
    const { a, until } = open()
    await until(a.set('k0', 'stored'))
    const records = watch(a, 'lookup')
    await a.getMany(['k0', 'k1'])
    expect(records.map(({ operation, key, outcome }) => `${operation} ${key} ${outcome}`)).toEqual([
      'getMany k0 fresh',
      'getMany k1 absent',
    ])
  })
})

describe('setting many', () => {
  it('stores each value as its key had it last, in a version and for a time of choice', async () => {
    const { a, b, until } = open()
    await until(
      a.setMany(
        [
          ['k0', 'first'],
          ['k1', 1],
          ['k0', 'last'],
        ],
        { version: 3, ttl: '1h' },
      ),
    )
    expect(await b.getMany(['k0', 'k1'], { version: 3 })).toEqual(['last', 1])
    expect((await b.getEntry('k1', { version: 3 }))?.freshForMs).toBe(3_600_000)
  })

  it('names the keys that failed, and stores the others', async () => {
    const { a, until } = open()
    const error = await batchError(
      until(
        a.setMany([
          ['k0', 0],
          ['k1', () => 1],
          ['k2', undefined],
        ]),
      ),
    )
    expect([...error.errors.keys()]).toEqual(['k1', 'k2'])
    expect(await a.getMany(['k0', 'k1', 'k2'])).toEqual([0, undefined, undefined])
  })

  it('is more than the store takes at once', async () => {
    const { a, store, until } = open({}, ({ command }) => (command === 'put' ? slow(1, 1) : undefined))
    const keys = keysOf(600)
    await until(a.setMany(keys.map(key => [key, key] as const)))
    expect(await a.getMany(keys)).toEqual(keys)
    expect(store.count('put')).toBe(600)
  })
})
