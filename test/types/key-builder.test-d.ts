import { describe, expectTypeOf, it } from 'vitest'
import { defineKey, type KeyBuilder, type KeyValue } from '../../src/core/keys/key-builder.ts'

interface UserParams {
  readonly id: string
  readonly page?: number
  readonly since?: Date
  readonly filter?: { readonly tags: readonly string[]; readonly active: boolean | null }
}

class Account {
  readonly id = 'a'
  load(): void {}
}

describe('defineKey', () => {
  it('takes an interface of anything that can be part of a key', () => {
    const userKey = defineKey<UserParams>('catalog:user')
    expectTypeOf(userKey).toEqualTypeOf<KeyBuilder<UserParams>>()
    expectTypeOf(userKey({ id: 'u_1' })).toBeString()
    expectTypeOf(userKey.name).toBeString()
    expectTypeOf(userKey.pattern).toEqualTypeOf<RegExp>()
    userKey({ id: 'u_1', page: 2, since: new Date(), filter: { tags: ['a'], active: null } })
    // @ts-expect-error id is missing
    userKey({})
    // @ts-expect-error parameters are missing
    userKey()
    // @ts-expect-error id is a text
    userKey({ id: 1 })
    // @ts-expect-error no such parameter
    userKey({ id: 'u_1', pgae: 2 })
  })

  it('needs no parameters for a key that is one of a kind', () => {
    const settings = defineKey('settings')
    expectTypeOf(settings()).toBeString()
    settings({})
    // @ts-expect-error no such parameter
    settings({ id: 1 })
  })

  it('demands a tenant where keys belong to one', () => {
    const orderKey = defineKey<{ tenant: string; id: bigint }>('order', { tenant: true, maxBytes: 1024 })
    expectTypeOf(orderKey({ tenant: 'acme', id: 1n })).toBeString()
    // @ts-expect-error tenant is missing
    orderKey({ id: 1n })
    // @ts-expect-error the parameters have no tenant
    defineKey<{ id: string }>('order', { tenant: true })
    // @ts-expect-error a tenant is a text
    defineKey<{ tenant: number; id: string }>('order', { tenant: true })
    // @ts-expect-error a tenant is not optional
    defineKey<{ tenant?: string; id: string }>('order', { tenant: true })
    defineKey<{ tenant: string }>('order', { tenant: false })
  })

  it('refuses parameters that cannot be part of a key', () => {
    expectTypeOf<KeyValue<() => void>>().toBeNever()
    // @ts-expect-error a function
    defineKey<{ load: () => void }>('a')
    // @ts-expect-error a symbol
    defineKey<{ id: symbol }>('a')
    // @ts-expect-error a class with methods
    defineKey<{ account: Account }>('a')
    // @ts-expect-error a Map
    defineKey<{ index: Map<string, string> }>('a')
    // @ts-expect-error a function further in
    defineKey<{ filter: { by: readonly (() => void)[] } }>('a')
  })

  it('refuses unknown options', () => {
    expectTypeOf(defineKey).parameter(0).toBeString()
    // @ts-expect-error no such option
    defineKey('a', { max: 5 })
  })

  it('takes no argument at all when every parameter may be left out', () => {
    const listKey = defineKey<{ page?: number }>('list')
    expectTypeOf(listKey()).toBeString()
    expectTypeOf(listKey({ page: 1 })).toBeString()
  })
})
