import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isLeaseholdError } from '../../../src/core/errors.ts'
import type { Resource } from '../../../src/core/resources/resource.ts'
import { openFleet, sleep, track, watch } from '../engine/stage.ts'

interface Product {
  readonly sku: string
  readonly cents: number | null
}

type Products = Resource<Params, Product | null>
type Params = { readonly sku: string; readonly page?: number }

/** A source of products that notes each load. */
function openShop(options: Parameters<typeof openFleet>[0] = {}) {
  const fleet = openFleet(options)
  const loads: string[][] = []
  const rows = new Map<string, Product | null>()
  const product = (sku: string): Product | null =>
    rows.has(sku) ? (rows.get(sku) as Product | null) : { sku, cents: loads.length }
  const key = (params: Params): Params => params
  const load = async ({ sku }: Params): Promise<Product | null> => {
    loads.push([sku])
    await sleep(fleet.clock, 10)
    return product(sku)
  }
  const loadMany = async (params: readonly Params[]): Promise<(Product | null | Error)[]> => {
    loads.push(params.map(({ sku }) => sku))
    await sleep(fleet.clock, 10)
    return params.map(({ sku }) => (sku === 'broken' ? new Error('broken') : product(sku)))
  }
  return { ...fleet, loads, rows, key, load, loadMany }
}

function raise(error: unknown): never {
  throw error
}

const params = (...skus: readonly string[]): Params[] => skus.map(sku => ({ sku }))

describe('a resource', () => {
  it('loads what is not there, and stores it under its name and parameters', async () => {
    const { a, b, key, load, loads, until } = openShop()
    const products = a.define('product', { key, load, ttl: '1h' })
    expect(await until(products.get({ sku: 'p1', page: 2 }))).toEqual({ sku: 'p1', cents: 1 })
    expect(await until(products.get({ page: 2, sku: 'p1' }))).toEqual({ sku: 'p1', cents: 1 })
    expect(loads).toEqual([['p1']])
    expect(products.name).toBe('product')
    expect(products.keyOf({ sku: 'p1', page: 2 })).toBe('product:page=#2,sku=p1')
    const entry = await b.getEntry('product:page=#2,sku=p1')
    expect(entry?.freshForMs).toBeGreaterThan(3_500_000)
  })

  it('puts the tenant first in the key, and demands one', async () => {
    const { a } = openShop()
    const orders = a.define('order', { key: (p: { tenant: string; id: number }) => p, tenant: true, load: ({ id }) => id })
    expect(orders.keyOf({ id: 7, tenant: 'acme' })).toBe('order:@acme:id=#7')
    await expect(orders.get({ id: 7, tenant: '' })).rejects.toMatchObject({ code: 'INVALID_KEY' })
  })

  it('is one for the whole fleet', async () => {
    const { caches, key, load, loads, until } = openShop()
    const all = caches.map(cache => cache.define('product', { key, load }))
    const values = await until(Promise.all(all.flatMap(each => [each.get({ sku: 'p1' }), each.get({ sku: 'p1' })])))
    expect(new Set(values.map(value => value?.cents))).toEqual(new Set([1]))
    expect(loads).toHaveLength(1)
  })

  it('answers many with one load of what is missing', async () => {
    const { a, key, load, loadMany, loads, until } = openShop()
    const products = a.define('product', { key, load, loadMany })
    await until(products.get({ sku: 'p2' }))
    const values = await until(products.getMany(params('p3', 'p2', 'p1', 'p3')))
    expect(values.map(value => value?.sku)).toEqual(['p3', 'p2', 'p1', 'p3'])
    expect(loads).toEqual([['p2'], ['p3', 'p1']])
  })

  it('names each thing that failed, and gives the others', async () => {
    const { a, key, loadMany, until } = openShop()
    const products = a.define('product', { key, loadMany })
    const error = await until(products.getMany(params('p1', 'broken'))).catch((reason: unknown) => reason)
    if (!isLeaseholdError(error, 'BATCH_FAILED')) throw new Error('no batch error', { cause: error })
    expect([...error.errors.keys()]).toEqual(['product:sku=broken'])
    expect(await until(products.getManySettled(params('p1', 'broken')))).toMatchObject([
      { status: 'fulfilled', value: { sku: 'p1' } },
      { status: 'rejected' },
    ])
  })

  it('needs only one of its loaders', async () => {
    const { a, key, load, loadMany, loads, until } = openShop()
    const single = a.define('single', { key, load })
    expect((await until(single.getMany(params('p1', 'p2')))).map(value => value?.sku)).toEqual(['p1', 'p2'])
    const many = a.define('many', { key, loadMany })
    expect((await until(many.get({ sku: 'p3' })))?.sku).toBe('p3')
    expect(loads).toEqual([['p1'], ['p2'], ['p3']])
  })

  it('is set, expired, refreshed and deleted by parameters', async () => {
    const { a, b, key, load, loads, until } = openShop()
    const [one, two] = [a, b].map(cache => cache.define('product', { key, load, staleIfError: '1h' })) as [Products, Products]
    await until(one.set({ sku: 'p1' }, { sku: 'p1', cents: 50 }))
    expect(await until(two.get({ sku: 'p1' }))).toEqual({ sku: 'p1', cents: 50 })
    expect(await until(two.refresh({ sku: 'p1' }))).toEqual({ sku: 'p1', cents: 1 })
    expect(await until(one.get({ sku: 'p1' }))).toEqual({ sku: 'p1', cents: 1 })
    expect(await until(two.expire({ sku: 'p1' }))).toBe('applied')
    expect(await until(one.get({ sku: 'p1' }))).toEqual({ sku: 'p1', cents: 2 })
    await until(two.delete({ sku: 'p1' }))
    expect(await until(one.get({ sku: 'p1' }))).toEqual({ sku: 'p1', cents: 3 })
    await until(
      one.setMany([
        [{ sku: 'p1' }, { sku: 'p1', cents: 60 }],
        [{ sku: 'p2' }, null],
      ]),
    )
    expect(await until(two.getMany(params('p1', 'p2')))).toEqual([{ sku: 'p1', cents: 60 }, null])
    await until(two.deleteMany(params('p1', 'p2')))
    expect(await a.getMany(params('p1', 'p2').map(each => one.keyOf(each)))).toEqual([undefined, undefined])
    expect(loads).toHaveLength(3)
  })

  it('takes options of a call over its own, and its own over the cache', async () => {
    const { a, key, load, until } = openShop({ ttl: '1h' })
    const products = a.define('product', { key, load, ttl: '1m' })
    const freshForMs = async (sku: string): Promise<number | undefined> => (await a.getEntry(products.keyOf({ sku })))?.freshForMs
    await until(products.get({ sku: 'p1' }))
    expect(await freshForMs('p1')).toBe(60_000)
    await until(products.get({ sku: 'p2' }, { ttl: '5s' }))
    expect(await freshForMs('p2')).toBe(5_000)
    await until(products.set({ sku: 'p3' }, null, { ttl: '7s' }))
    expect(await freshForMs('p3')).toBe(7_000)
  })

  it('refuses a definition that is none, naming what is wrong with it', () => {
    const { a, key, load, loadMany } = openShop()
    const refused = (definition: object): unknown => {
      try {
        a.define('product', definition as never)
      } catch (error) {
        return isLeaseholdError(error) ? `${error.code} ${error.option}` : error
      }
      return 'taken'
    }
    expect(refused({ load })).toBe('INVALID_OPTION key')
    expect(refused({ key })).toBe('INVALID_OPTION load')
    expect(refused({ key, load: 'x' })).toBe('INVALID_OPTION load')
    expect(refused({ key, load, batch: true })).toBe('INVALID_OPTION batch')
    expect(refused({ key, load, upgrade: () => 1 })).toBe('INVALID_OPTION upgrade')
    expect(refused({ key, load, schema: {} })).toBe('INVALID_OPTION schema')
    expect(refused({ key, load, ttlMs: 5 })).toBe('UNKNOWN_OPTION ttlMs')
    expect(refused({ key, load, ttl: 0 })).toBe('INVALID_OPTION ttl')
    expect(refused({ key, load, nullTtl: 0 })).toBe('INVALID_OPTION nullTtl')
    expect(refused({ key, load, maxConcurrentLoads: 0 })).toBe('INVALID_OPTION maxConcurrentLoads')
    expect(refused({ key, load, loadMany })).toBe('taken')
    expect(refused({ key, load })).toBe('INVALID_OPTION name')
    expect(() => a.define('Bad Name', { key, load })).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })

  it('ends with its cache', async () => {
    const { a, key, load, until } = openShop()
    const products = a.define('product', { key, load })
    await until(a.close())
    await expect(products.get({ sku: 'p1' })).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
    await expect(products.getMany(params('p1'))).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
    await expect(products.warm(params('p1'))).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
    expect(() => a.define('more', { key, load })).toThrow(expect.objectContaining({ code: 'CACHE_CLOSED' }))
  })
})

describe('single gets of one tick', () => {
  it('share one load if asked to, and only then', async () => {
    const { a, key, load, loadMany, loads, until } = openShop()
    const together = a.define('together', { key, load, loadMany, batch: true })
    const apart = a.define('apart', { key, load, loadMany })
    const values = await until(Promise.all(params('p1', 'p2', 'p1', 'p3').map(each => together.get(each))))
    expect(values.map(value => value?.sku)).toEqual(['p1', 'p2', 'p1', 'p3'])
    expect(loads).toEqual([['p1', 'p2', 'p3']])
    await until(Promise.all(params('p1', 'p2').map(each => apart.get(each))))
    expect(loads.slice(1)).toEqual([['p1'], ['p2']])
  })

  it('share it with those that come in reactions of the tick, and not with later ones', async () => {
    const { a, clock, key, loadMany, loads, until } = openShop()
    const products = a.define('product', { key, loadMany, batch: true })
    const first = products.get({ sku: 'p1' })
    const second = Promise.resolve().then(() => products.get({ sku: 'p2' }))
    await clock.settle()
    const third = products.get({ sku: 'p3' })
    await until(Promise.all([first, second, third]))
    expect(loads).toEqual([['p1', 'p2'], ['p3']])
  })

  it('do not wait for those that are stored, and fail one by one', async () => {
    const { a, key, loadMany, loads, until } = openShop()
    const products = a.define('product', { key, loadMany, batch: true })
    await until(products.set({ sku: 'p1' }, null))
    const settled = await until(Promise.allSettled(params('p1', 'broken', 'p2').map(each => products.get(each))))
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(loads).toEqual([['broken', 'p2']])
  })
})

describe('what a definition says of values', () => {
  it('gives null a time of its own, and others one of theirs', async () => {
    const { a, key, load, loadMany, rows, until } = openShop({ ttl: '1h' })
    rows.set('gone', null)
    rows.set('short', { sku: 'short', cents: 1 })
    const ttl = (value: Product | null): number => (value?.cents === 1 ? 5_000 : 90_000)
    const products = a.define('product', { key, load, loadMany, ttl, nullTtl: '2s' })
    const freshForMs = async (sku: string): Promise<number | undefined> => (await a.getEntry(products.keyOf({ sku })))?.freshForMs
    await until(Promise.all(params('gone', 'short').map(each => products.get(each))))
    expect([await freshForMs('gone'), await freshForMs('short')]).toEqual([2_000, 5_000])
    rows.set('gone2', null)
    await until(products.getMany(params('gone2', 'other')))
    expect([await freshForMs('gone2'), await freshForMs('other')]).toEqual([2_000, 90_000])
    await until(products.set({ sku: 'gone3' }, null))
    await until(products.setMany([[{ sku: 'short2' }, { sku: 'short2', cents: 1 }]]))
    expect([await freshForMs('gone3'), await freshForMs('short2')]).toEqual([2_000, 5_000])
    await until(products.get({ sku: 'given' }, { ttl: '9s' }))
    expect(await freshForMs('given')).toBe(9_000)
  })

  it('leaves a ttl that the loader set itself', async () => {
    const { a, until } = openShop()
    const own = a.define('own', {
      key: (id: string) => ({ id }),
      load: (_, context) => {
        context.setTtl('3s')
        return null
      },
      nullTtl: '1h',
    })
    await until(own.get('x'))
    expect((await a.getEntry(own.keyOf('x')))?.freshForMs).toBe(3_000)
  })

  it('keeps out of the store what is not to be cached, and answers it', async () => {
    const { a, key, load, loadMany, until } = openShop()
    const products = a.define('product', { key, load, loadMany, shouldCache: value => value?.sku !== 'secret' })
    expect((await until(products.get({ sku: 'secret' })))?.sku).toBe('secret')
    expect((await until(products.getMany(params('secret', 'p1')))).map(value => value?.sku)).toEqual(['secret', 'p1'])
    expect(await a.has(products.keyOf({ sku: 'secret' }))).toBe(false)
    expect(await a.has(products.keyOf({ sku: 'p1' }))).toBe(true)
  })

  it('fails the one value of which a rule throws', async () => {
    const { a, key, loadMany, until } = openShop()
    const ttl = (value: Product | null): number => (value?.sku === 'p1' ? -1 : 1_000)
    const products = a.define('product', { key, loadMany, ttl })
    const [first, second] = await until(products.getManySettled(params('p1', 'p2')))
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'INVALID_OPTION', option: 'ttl' } })
    expect(second).toMatchObject({ status: 'fulfilled' })
  })
})

describe('loads at once', () => {
  it('are bounded, those of a batch counting as one', async () => {
    const { a, clock, source, until } = openShop()
    const slow = a.define('slow', {
      key: (id: number) => ({ id }),
      load: (_, context) => source.takes(100)(context),
      maxConcurrentLoads: 2,
    })
    const calls = [1, 2, 3, 4, 5].map(id => track(clock, slow.get(id)))
    await clock.advance(450)
    expect(source.mostAtOnce).toBe(2)
    expect(calls.map(({ state }) => state)).toEqual(Array.from({ length: 5 }, () => 'fulfilled'))
    const ids = Array.from({ length: 6 }, (_, index) => index + 10)
    await until(slow.getMany(ids))
    expect(source.mostAtOnce).toBe(2)
    expect(source.loads).toBe(11)
  })

  it('that wait keep to their timeouts, and leave the line', async () => {
    const { a, clock, source, until } = openShop({ timeout: { hard: 150 } })
    const slow = a.define('slow', {
      key: (id: number) => ({ id }),
      load: (_, context) => source.takes(100)(context),
      maxConcurrentLoads: 1,
    })
    const calls = [1, 2, 3].map(id => track(clock, slow.get(id)))
    await clock.advance(160)
    expect(calls[0]!.value).toBe('load 1')
    expect(calls.slice(1).map(({ error }) => isLeaseholdError(error, 'LOAD_TIMEOUT'))).toEqual([true, true])
    await clock.advance(1_000)
    expect(source.loads).toBe(2)
    expect(await until(slow.get(9))).toBe('load 3')
  })

  it('that are too many to wait are refused', async () => {
    const { a, clock, source } = openShop()
    const slow = a.define('slow', {
      key: (id: number) => ({ id }),
      load: (_, context) => source.takes(100)(context),
      maxConcurrentLoads: 1,
      maxQueuedLoads: 1,
    })
    const calls = [1, 2, 3].map(id => track(clock, slow.get(id)))
    await clock.advance(300)
    expect(calls.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(calls[2]!.error).toMatchObject({ code: 'OVERLOADED', option: 'maxQueuedLoads' })
  })
})

describe('a schema', () => {
  const schema = z.object({
    id: z.string(),
    since: z.string().transform(text => new Date(text)),
    plan: z.string().default('free'),
  })
  const key = (id: string): { id: string } => ({ id })

  it.each(['copy', 'freeze'] as const)('makes of a stored value what callers get, under %s', async values => {
    const { a, until } = openShop({ values })
    const users = a.define('user', { key, load: id => ({ id, since: '2026-01-02T00:00:00.000Z' }), schema })
    const first = await until(users.get('u1'))
    const second = await until(users.get('u1'))
    expect(first).toEqual({ id: 'u1', since: new Date('2026-01-02T00:00:00.000Z'), plan: 'free' })
    expect(second).toEqual(first)
    expect((await until(users.getMany(['u1', 'u2']))).map(({ plan }) => plan)).toEqual(['free', 'free'])
    expect(second === first).toBe(values === 'freeze')
    expect(Object.isFrozen(second)).toBe(values === 'freeze')
    expect(await a.get(users.keyOf('u1'))).toEqual({ id: 'u1', since: '2026-01-02T00:00:00.000Z' })
  })

  it('makes a stored value that does not fit a counted miss', async () => {
    const { a, b, until } = openShop()
    const users = a.define('user', { key, load: id => ({ id, since: '2026' }), schema })
    await until(b.set(users.keyOf('u1'), { id: 5 }))
    await until(b.set(users.keyOf('u2'), { id: 5 }))
    const records = watch(a, 'decode-error', 'miss', 'hit')
    expect((await until(users.get('u1'))).id).toBe('u1')
    expect((await until(users.getMany(['u1', 'u2']))).map(({ id }) => id)).toEqual(['u1', 'u2'])
    expect(records.map(record => `${record.event} ${'reason' in record ? record.reason : ''}`.trim())).toEqual([
      'decode-error schema',
      'miss',
      'hit',
      'decode-error schema',
      'miss',
    ])
  })

  it('refuses what is loaded or set and does not fit, and says where', async () => {
    const { a, until } = openShop()
    const users = a.define('user', { key, load: id => ({ id, since: id === 'bad' ? (5 as unknown as string) : '2026' }), schema })
    const mismatch = {
      code: 'SCHEMA_MISMATCH',
      option: 'schema',
      key: 'user:id=bad',
      message: expect.stringContaining('since: '),
    }
    await expect(until(users.get('bad'))).rejects.toMatchObject(mismatch)
    await expect(until(users.set('bad', { id: 'bad' } as never))).rejects.toMatchObject(mismatch)
    expect(await a.has(users.keyOf('bad'))).toBe(false)
  })

  it.each([
    ['throws', () => raise(new Error('no such table'))],
    ['throws what is no error', () => raise('no such table')],
    ['answers nothing', () => undefined],
    ['answers a number', () => 5],
    ['has issues that are none', () => ({ issues: 'many' })],
  ])('that %s refuses the value, on its way in and out', async (_, validate) => {
    const { a, b, until } = openShop()
    const broken = { '~standard': { version: 1, vendor: 'test', validate } } as never
    const users = a.define('user', { key, load: id => id as unknown, schema: broken })
    const mismatch = { code: 'SCHEMA_MISMATCH', option: 'schema', key: 'user:id=u1' }
    await expect(until(users.get('u1'))).rejects.toMatchObject(mismatch)
    await expect(until(users.set('u1', 'set'))).rejects.toMatchObject(mismatch)
    await until(b.set(users.keyOf('u1'), 'stored'))
    const records = watch(a, 'decode-error')
    await expect(until(users.get('u1'))).rejects.toMatchObject(mismatch)
    expect(records).toMatchObject([{ reason: 'schema', key: 'user:id=u1' }])
  })

  it('that answers later is refused at the first value', async () => {
    const { a, until } = openShop()
    const later = { '~standard': { version: 1, vendor: 'test', validate: async (value: unknown) => ({ value }) } } as const
    const users = a.define('user', { key, load: id => id as unknown, schema: later })
    await expect(until(users.get('u1'))).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
  })

  it('does not let an older load bring back what does not fit, in an outage either', async () => {
    const { a, b, sleep: pass, until } = openShop({ ttl: '1s', staleIfError: '1h' })
    const users = a.define('user', { key, load: () => Promise.reject(new Error('down')), schema })
    await until(b.set(users.keyOf('u1'), { id: 5 }))
    await until(pass(2_000))
    await expect(until(users.get('u1'))).rejects.toThrow('down')
  })
})
