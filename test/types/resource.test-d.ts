import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { createCache, type LoaderContext, type LoadManyContext, type Resource, type StandardSchema } from '../../src/index.ts'

interface User {
  readonly id: string
  readonly name: string
}

const cache = createCache({ namespace: 'types' })
const user = (id: string): User => ({ id, name: 'Ada' })

describe('cache.define', () => {
  it('takes the types of parameters and values from the functions', () => {
    const users = cache.define('user', {
      key: (p: { id: string; tenant: string }) => p,
      load: async ({ id }, context) => {
        expectTypeOf(id).toBeString()
        expectTypeOf(context).toEqualTypeOf<LoaderContext>()
        return user(id)
      },
      loadMany: async (params, context) => {
        expectTypeOf(params).toEqualTypeOf<readonly { id: string; tenant: string }[]>()
        expectTypeOf(context).toEqualTypeOf<LoadManyContext>()
        return params.map(({ id }) => user(id))
      },
      ttl: (value, { tenant }) => {
        expectTypeOf(value).toEqualTypeOf<User>()
        return tenant === 'x' ? '1m' : 5_000
      },
      shouldCache: value => value.name !== '',
      tags: ({ tenant }, value) => {
        expectTypeOf(tenant).toBeString()
        expectTypeOf(value).toEqualTypeOf<User>()
        return [`tenant:${tenant}`, `name:${value.name}`] as const
      },
    })
    expectTypeOf(users).toEqualTypeOf<Resource<{ id: string; tenant: string }, User>>()
    expectTypeOf(users.get({ id: '1', tenant: 'a' })).resolves.toEqualTypeOf<User>()
    expectTypeOf(users.getMany([{ id: '1', tenant: 'a' }])).resolves.toEqualTypeOf<User[]>()
    expectTypeOf(users.getManySettled([])).resolves.toEqualTypeOf<PromiseSettledResult<User>[]>()
    expectTypeOf(users.refresh({ id: '1', tenant: 'a' })).resolves.toEqualTypeOf<User>()
    expectTypeOf(users.keyOf({ id: '1', tenant: 'a' })).toBeString()
    expectTypeOf(users.set).parameter(1).toEqualTypeOf<User>()
    // @ts-expect-error the tenant is missing
    void users.get({ id: '1' })
    // @ts-expect-error no such parameter
    void users.get({ id: '1', tenant: 'a', page: 1 })
    // @ts-expect-error not a user
    void users.set({ id: '1', tenant: 'a' }, { id: '1' })
    // @ts-expect-error the version is the resource's own
    void users.get({ id: '1', tenant: 'a' }, { version: 2 })
  })

  it('takes tags as a list or a function, and from the value as it is loaded', () => {
    const key = (id: string): { id: string } => ({ id })
    cache.define('tagged', { key, load: user, tags: ['users'] })
    cache.define('tagged-null', {
      key,
      load: id => (id === 'x' ? null : user(id)),
      // @ts-expect-error the value may be null
      tags: (_, value) => [value.name],
    })
    cache.define('tagged-schema', {
      key,
      load: () => ({ born: '2026-01-01' }),
      schema: z.object({ born: z.string().transform(text => new Date(text)) }),
      tags: (id, value) => {
        expectTypeOf(id).toBeString()
        expectTypeOf(value.born).toBeString()
        return [`born:${value.born}`]
      },
    })
    // @ts-expect-error a tag is a text
    cache.define('tagged-wrong', { key, load: user, tags: () => [1] })
  })

  it('lets parameters be a plain text, and values be null or nothing', () => {
    const maybe = cache.define('maybe', {
      key: (id: string) => ({ id }),
      loadMany: ids => ids.map(id => (id === 'x' ? null : id === 'y' ? new Error('no') : user(id))),
      nullTtl: '10s',
    })
    expectTypeOf(maybe.get('1')).resolves.toEqualTypeOf<User | null>()
    const nothing = cache.define('nothing', { key: (id: number) => ({ id }), load: id => (id > 0 ? id : undefined) })
    expectTypeOf(nothing.get(1)).resolves.toEqualTypeOf<number | undefined>()
    // @ts-expect-error the parameter is a number
    void nothing.get('1')
  })

  it('gives callers what the schema makes of a value', () => {
    const schema = z.object({
      id: z.string(),
      joined: z.string().transform(text => new Date(text)),
      plan: z.string().default('free'),
    })
    const users = cache.define('schema-user', {
      key: (id: string) => ({ id }),
      load: id => ({ id, joined: '2026-01-01' }),
      schema,
    })
    expectTypeOf(users.get('1')).resolves.toEqualTypeOf<{ id: string; joined: Date; plan: string }>()
    expectTypeOf(users.set).parameter(1).toExtend<{ id: string; joined: string }>()
    cache.define('not-that-schema', {
      key: (id: string) => ({ id }),
      // @ts-expect-error what is loaded is not what the schema takes
      load: id => ({ id, joined: 5 }),
      schema,
    })
  })

  it('takes validators of any library', () => {
    expectTypeOf(z.string()).toExtend<StandardSchema<string, string>>()
    expectTypeOf<StandardSchemaV1<string, number>>().toExtend<StandardSchema<string, number>>()
  })

  it('refuses keys that cannot be keys', () => {
    expectTypeOf(cache.define).toBeFunction()
    // @ts-expect-error a function is no part of a key
    cache.define('bad', { key: (id: string) => ({ id, load: () => 1 }), load: () => 1 })
    // @ts-expect-error a key needs an object of parameters
    cache.define('text', { key: (id: string) => id, load: () => 1 })
    // @ts-expect-error no such option
    cache.define('more', { key: (id: string) => ({ id }), load: () => 1, ttlMs: 5 })
  })
})

describe('batches', () => {
  it('take the type of the values from the loader', () => {
    expectTypeOf(cache.getOrSetMany(['a'], keys => keys.map(key => key.length))).resolves.toEqualTypeOf<number[]>()
    expectTypeOf(
      cache.getOrSetMany(['a'], async keys => keys.map(key => (key === '' ? new Error('no') : user(key)))),
    ).resolves.toEqualTypeOf<User[]>()
    expectTypeOf(cache.getOrSetManySettled(['a'], () => [null])).resolves.toEqualTypeOf<PromiseSettledResult<null>[]>()
    expectTypeOf(cache.getMany<User>(['a'])).resolves.toEqualTypeOf<(User | undefined)[]>()
  })
})
