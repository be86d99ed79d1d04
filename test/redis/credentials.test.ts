import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, isLeaseholdError, type Cache, type LeaseholdError } from '../../src/index.ts'
import { redisStore, type Credentials, type RedisTarget } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { startSentinel } from '../sentinel.ts'
import { ownNamespace } from '../shared-redis.ts'
import { until, versions } from './fixture.ts'
import { leaseholdWarnings } from './warnings.ts'

const [first, second] = ['sentinel-first-4c1d', 'sentinel-second-9e7b'] as const

let server: RedisServer
let admin: Redis
beforeEach(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
  await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', `>${first}`, '~*', '&*', '+@all')
})
afterEach(async () => {
  admin.disconnect()
  await server.stop()
})

function open(target: RedisTarget, credentials: () => Credentials | Promise<Credentials>): Cache {
  return createCache({ namespace: ownNamespace(), store: redisStore(target, { credentials }), commandTimeout: '2s' })
}

/** The old password no longer counts, and whoever came in by it is thrown out. */
async function rotate(on: Redis = admin): Promise<void> {
  await on.call('ACL', 'SETUSER', 'app', 'resetpass', `>${second}`)
  await on.call('CLIENT', 'KILL', 'USER', 'app')
}

const connectionsOf = async (on: Redis = admin): Promise<string[]> =>
  [...String(await on.call('CLIENT', 'LIST')).matchAll(/ name=leasehold:\S+:(\w+) .* user=app /g)].map(
    ([, name]) => name as string,
  )

describe.each(versions)('credentials as a function, over a client of %s', (_, create) => {
  it('are asked at each connect, those of the bus included, and used in place of the client’s own', async () => {
    let password: string = first
    let asked = 0
    const template = create(server.url)
    const client = template.duplicate({ lazyConnect: true, username: 'wrong', password: 'wrong' })
    template.disconnect()
    const cache = open(client, async () => {
      asked++
      return { username: 'app', password }
    })
    await cache.ready()
    await until(async () => (await connectionsOf()).length === 3)
    expect((await connectionsOf()).toSorted()).toEqual(['bus', 'reads', 'scripts'])
    const before = asked
    password = second
    await rotate()
    await until(() => asked > before)
    await until(async () => (await connectionsOf()).length === 3)
    await until(() => cache.status().store === 'up')
    expect(await cache.set('k', 1)).toBe('applied')
    expect(await cache.get('k')).toBe(1)
    await cache.close()
    client.disconnect()
  })
})

describe('credentials as a function', () => {
  it('log in as the default user where no name is given', async () => {
    await admin.call('CONFIG', 'SET', 'requirepass', first)
    const cache = open(server.url, () => ({ password: first }))
    await cache.ready()
    expect(await cache.set('k', 1)).toBe('applied')
    await cache.close()
  })

  it('that fail at the start are a typed error, which tells neither what they threw nor what they gave', async () => {
    const warnings = leaseholdWarnings()
    const failing: readonly [() => Promise<Credentials>, RegExp][] = [
      [() => Promise.reject(new TypeError(`no secret ${first}`)), /credentials\(\) failed \(TypeError\)/],
      [() => Promise.reject(Object.assign(new Error(first), { name: `with ${first}` })), /credentials\(\) failed\)/],
      [() => Promise.resolve({ username: first } as unknown as Credentials), /credentials\(\) gave no password/],
      [() => new Promise(() => {}), /credentials\(\) has not answered within 1500 ms/],
    ]
    await Promise.all(
      failing.map(async ([credentials, message]) => {
        const cache = open(server.url, credentials)
        const refusal: unknown = await cache.ready().catch((error: unknown) => error)
        expect(refusal).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(message) as string })
        expect(String(refusal)).not.toContain(first)
        expect(await cache.delete('k')).toBe('deferred')
        await cache.close()
      }),
    )
    expect(warnings).toHaveLength(failing.length)
    expect(warnings.join()).not.toContain(first)
  })

  it('that fail later are asked again until they answer', async () => {
    let answer: () => Credentials = () => ({ username: 'app', password: first })
    const cache = open(server.url, () => answer())
    await cache.ready()
    let failures = 0
    answer = () => {
      failures++
      throw new Error('the vault is sealed')
    }
    await rotate()
    await until(() => cache.status().store === 'down' && failures > 3)
    expect(await cache.set('k', 1)).toBe('deferred')
    answer = () => ({ username: 'app', password: second })
    await until(() => cache.status().store === 'up' && cache.status().deferredInvalidations === 0)
    expect(await cache.set('k', 2)).toBe('applied')
    await cache.close()
  })

  it('that are out of date are asked for anew', async () => {
    let password: string = first
    const cache = open(server.url, () => ({ username: 'app', password }))
    await cache.ready()
    await rotate()
    const refusals = async (): Promise<LeaseholdError[]> => {
      const outcome: unknown = await cache.delete('k').catch((error: unknown) => error)
      return isLeaseholdError(outcome) ? [outcome] : []
    }
    await until(async () =>
      (await refusals()).some(({ code, message }) => code === 'STORE_REFUSED' && message.includes('WRONGPASS')),
    )
    password = second
    await until(() => cache.status().store === 'up')
    expect(await cache.set('k', 1)).toBe('applied')
    await cache.close()
  })

  it('may be slow', async () => {
    let give: ((credentials: Credentials) => void) | undefined
    let asked = 0
    const cache = open(server.url, () => {
      asked++
      return new Promise<Credentials>(resolve => (give = resolve))
    })
    await expect(cache.ready()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    give?.({ username: 'app', password: first })
    await until(() => cache.status().store === 'up')
    expect(asked).toBe(1)
    await cache.close()
  })

  it('are asked no more once the cache is closed', async () => {
    let asked = 0
    const cache = open(server.url, () => {
      asked++
      throw new Error('never')
    })
    await expect(cache.ready('100ms')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await cache.close()
    const after = asked
    const later = performance.now() + 400
    await until(() => performance.now() > later)
    expect(asked).toBe(after)
    expect(await connectionsOf()).toEqual([])
  })

  it('log in to the primary that Sentinel names', async () => {
    const sentinel = await startSentinel('primary', server.port)
    let password: string = first
    const target = { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'primary' }
    const cache = open(target, () => ({ username: 'app', password }))
    await cache.ready()
    await until(async () => (await connectionsOf()).length === 3)
    password = second
    await rotate()
    await until(() => cache.status().store === 'down')
    await until(() => cache.status().store === 'up')
    expect(await cache.set('k', 1)).toBe('applied')
    await cache.close()
    await sentinel.stop()
  })

  it('are a function', () => {
    const wrong = { credentials: { username: 'app', password: first } as unknown as () => Credentials }
    expect(() => redisStore(server.url, wrong)).toThrow(/^Option "credentials" must be a function$/)
  })
})
