import { describe, expect, it } from 'vitest'
import type { ResourceDefinition } from '../../../src/core/resources/definition.ts'
import { openFleet, track } from '../engine/stage.ts'

type Definition = ResourceDefinition<unknown, unknown, unknown, { id: number }>

const key = (id: unknown): { id: number } => ({ id: id as number })

function openThings(definition: Partial<Definition> = {}) {
  const fleet = openFleet()
  const things = fleet.a.define('thing', { key, load: id => ({ id }), ...definition })
  return { ...fleet, things }
}

type Things = ReturnType<typeof openThings>['things']

const calls: readonly (readonly [string, option: string, (things: Things, given: never) => Promise<unknown>])[] = [
  ['getMany', 'params', (things, given) => things.getMany(given)],
  ['getManySettled', 'params', (things, given) => things.getManySettled(given)],
  ['deleteMany', 'params', (things, given) => things.deleteMany(given)],
  ['setMany', 'entries', (things, given) => things.setMany(given)],
  ['warm', 'source', (things, given) => things.warm(given)],
]

describe.each(calls)('%s of a resource', (_, option, call) => {
  it.each(['abc', 3, undefined, null, { a: 1 }])('refuses %o, and names the argument', async given => {
    const { things, store, until } = openThings()
    await expect(until(call(things, given as never))).rejects.toMatchObject({ code: 'INVALID_OPTION', option })
    expect(store.calls).toEqual([])
  })
})

describe('a list', () => {
  it('is an array: nothing else that can be iterated', async () => {
    const { things } = openThings()
    await expect(things.getMany(new Set([1]) as never)).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'params' })
    await expect(things.deleteMany(new Set([1]) as never)).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'params' })
  })

  it('of pairs to be set holds nothing else, and nothing is set if it does', async () => {
    const { things, store } = openThings()
    await expect(things.setMany([[1, 'one'], 2] as never)).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'entries' })
    expect(store.calls).toEqual([])
  })
})

describe('warm', () => {
  it.each([
    ['options', 5],
    ['onProgress', { onProgress: 'each' }],
    ['onError', { onError: {} }],
    ['signal', { signal: {} }],
  ])('refuses wrong %s', async (option, options) => {
    const { things } = openThings()
    await expect(things.warm([1], options as never)).rejects.toMatchObject({ code: 'INVALID_OPTION', option })
  })

  it('counts a thing that has no key as failed, tells of it, and goes on', async () => {
    const { things, until } = openThings()
    const failed: unknown[] = []
    const onError = (params: unknown, error: unknown): void => void failed.push([params, (error as { code: string }).code])
    const report = await until(things.warm([1, Number.NaN, 2, Number.NaN], { batchSize: 1, onError }))
    expect(report).toEqual({ position: 4, loaded: 2, fresh: 0, skipped: 0, failed: 2 })
    expect(failed).toEqual([
      [Number.NaN, 'INVALID_KEY'],
      [Number.NaN, 'INVALID_KEY'],
    ])
  })
})

describe('one of many that has no key', () => {
  it('fails in its place, where each is told what became of it', async () => {
    const { things, until } = openThings()
    const settled = await until(things.getManySettled([Number.NaN, 1, Number.NaN, 2]))
    expect(settled).toMatchObject([
      { status: 'rejected', reason: { code: 'INVALID_KEY' } },
      { status: 'fulfilled', value: { id: 1 } },
      { status: 'rejected', reason: { code: 'INVALID_KEY' } },
      { status: 'fulfilled', value: { id: 2 } },
    ])
  })

  it('fails all where it cannot be told apart, and nothing is loaded', async () => {
    const { things, store } = openThings()
    await expect(things.getMany([1, Number.NaN])).rejects.toMatchObject({ code: 'INVALID_KEY' })
    expect(store.calls).toEqual([])
  })
})

describe('a rule of a definition', () => {
  const rejecting = (): never => Promise.reject(new Error('too late')) as never
  const wrong: readonly (readonly [string, string, Partial<Definition>])[] = [
    ['ttl', 'that gives no duration', { ttl: () => 'soon' as never }],
    ['ttl', 'that answers later', { ttl: rejecting }],
    ['tags', 'that gives no tags', { tags: () => ['ok', ''] }],
    ['tags', 'that gives too many', { tags: () => Array.from({ length: 65 }, (_, n) => `tag:${n}`) }],
    ['tags', 'that answers later', { tags: rejecting }],
  ]

  it.each(wrong)('for the %s %s is refused with the key, on get and on set', async (option, _, definition) => {
    const { things, until } = openThings(definition)
    const refusal = { option, key: 'thing:id=#1', code: expect.stringMatching(/^INVALID_(OPTION|TAG)$/) as string }
    await expect(until(things.get(1))).rejects.toMatchObject(refusal)
    await expect(until(things.set(1, 'value'))).rejects.toMatchObject(refusal)
    expect(await until(things.getManySettled([1]))).toMatchObject([{ status: 'rejected', reason: refusal }])
  })

  it.each([
    ['undefined', undefined],
    ['1', 1],
    ['an instance of Promise', rejecting],
  ])('for what is stored that answers %s is refused with the key, and nothing is stored', async (got, verdict) => {
    const { a, things, until } = openThings({ shouldCache: () => (typeof verdict === 'function' ? verdict() : verdict) as never })
    await expect(until(things.get(1))).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      option: 'shouldCache',
      key: 'thing:id=#1',
      message: expect.stringContaining(`got ${got}`) as string,
    })
    expect(await until(a.has('thing:id=#1'))).toBe(false)
  })
})

describe('what a loader says of its value', () => {
  it('is refused with the key', async () => {
    const { a, things, until } = openThings({ load: (_, context) => context.setTtl('soon' as never) })
    const refusal = { code: 'INVALID_OPTION', option: 'ttl', key: 'thing:id=#1' }
    await expect(until(things.get(1))).rejects.toMatchObject(refusal)
    const loadMany = (_: readonly string[], { each }: { each: readonly { setTtl(ttl: string): void }[] }): never[] => {
      each[1]?.setTtl('soon')
      return []
    }
    expect(await until(a.getOrSetManySettled(['k1', 'k2'], loadMany as never))).toMatchObject([
      { reason: { key: 'k2' } },
      { reason: { key: 'k2' } },
    ])
  })

  it('is refused with the key for tags, also in a batch', async () => {
    const { a, until } = openThings()
    const settled = await until(
      a.getOrSetManySettled(['k1', 'k2'], (_, { each }) => {
        each[1]?.tags.add('')
        return []
      }),
    )
    expect(settled).toMatchObject([
      { reason: { code: 'INVALID_TAG', key: 'k2' } },
      { reason: { code: 'INVALID_TAG', key: 'k2' } },
    ])
  })
})

describe('a load that finds no place in line', () => {
  const never = (): Promise<never> => new Promise(() => {})
  it.each<[string, Partial<Definition>]>([
    ['by itself', { load: never }],
    ['with others', { load: never, loadMany: never, batch: true }],
  ])('is refused with its key, %s', async (_, loaders) => {
    const { clock, things } = openThings({ ...loaders, maxConcurrentLoads: 1, maxQueuedLoads: 0 })
    track(clock, things.get(1))
    await clock.settle()
    const [two, three] = [2, 3].map(id => track(clock, things.get(id)))
    await clock.settle()
    expect(two?.error).toMatchObject({ code: 'OVERLOADED', option: 'maxQueuedLoads', key: 'thing:id=#2' })
    expect(three?.error).toMatchObject({ code: 'OVERLOADED', key: 'thing:id=#3' })
  })
})
