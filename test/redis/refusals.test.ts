import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'
import { callsOf, openStore, until } from './fixture.ts'
import { leaseholdWarnings } from './warnings.ts'

let server: RedisServer
let admin: Redis
beforeAll(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
})
afterAll(async () => {
  admin.disconnect()
  await server.stop()
})

const urlOf = (user: string): string => server.url.replace('//', `//${user}:pw@`)

describe.each([
  ['may use no channel', 'mute', ['allkeys', '+@all', 'resetchannels'], 'no permission for the channel'],
  ['may not subscribe', 'deaf', ['allkeys', 'allchannels', '+@all', '-subscribe'], 'no permission for the command subscribe'],
] as const)('a user who %s', (_, user, rules, missing) => {
  beforeAll(() => admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>pw', ...rules))

  it('has a bus that is down, and is warned of it once', async () => {
    const warnings = leaseholdWarnings()
    const { store, bus, ready } = openStore(redisStore(urlOf(user)))
    const before = await callsOf(admin, 'ping')
    await until(() => bus.length > 0 && ready.length > 0)
    // Several tries later.
    await until(async () => (await callsOf(admin, 'ping')) >= before + 4)
    expect([bus, ready]).toEqual([[false], [true]])
    expect(warnings).toEqual([`Redis refused to subscribe to wake-ups: NOPERM (${missing}): waiting calls poll`])
    await store.close()
  })

  it('gets the value of another process by polling, not at the end of the lease', async () => {
    const namespace = ownNamespace()
    const open = (): ReturnType<typeof createCache> =>
      createCache({ namespace, store: redisStore(urlOf(user)), lease: '1m', commandTimeout: '2s' })
    const [holder, waiter] = [open(), open()]
    const states: string[] = []
    waiter.on('connection', ({ part, state }) => states.push(`${part} ${state}`))
    await until(() => states.includes('bus down'))
    let finish = (): void => {}
    const first = holder.getOrSet('k', () => new Promise<string>(resolve => (finish = () => resolve('value'))))
    await until(async () => (await admin.keys(`${namespace}:*:l:k`)).length === 1)
    let answered = false
    const before = await callsOf(admin, 'evalsha')
    const second = waiter.getOrSet('k', () => 'not this').finally(() => (answered = true))
    await until(async () => (await callsOf(admin, 'evalsha')) >= before + 3)
    expect(answered).toBe(false)
    finish()
    expect(await Promise.all([first, second])).toEqual(['value', 'value'])
    await Promise.all([holder.close(), waiter.close()])
  })

  it('is heard again as soon as it may', async () => {
    const { store, bus } = openStore(redisStore(urlOf(user)))
    await until(() => bus.length > 0)
    await admin.call('ACL', 'SETUSER', user, '+@all', 'allchannels')
    await until(() => bus.at(-1) === true)
    expect(bus).toEqual([false, true])
    await store.close()
    await admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>pw', ...rules)
  })
})

describe('two caches of one provider', () => {
  it('are told apart when only one may use its channel', async () => {
    const namespace = ownNamespace()
    await admin.call('ACL', 'SETUSER', 'half', 'reset', 'on', '>pw', 'allkeys', '+@all', `&${namespace}:bus`)
    const provider = redisStore(urlOf('half'))
    const allowed = openStore(provider, namespace)
    const refused = openStore(provider)
    await until(() => allowed.bus.length > 0 && refused.bus.length > 0)
    expect([allowed.bus, refused.bus]).toEqual([[true], [false]])
    await Promise.all([allowed.store.close(), refused.store.close()])
  })
})
