import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'
import { refusalsOf } from './acl-log.ts'
import { until } from './fixture.ts'

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

/** The rules that the page shows, for the user of a namespace. */
function rulesOf(namespace: string): string[] {
  const page = readFileSync('docs/security.md', 'utf8')
  const shown = /^ACL SETUSER leasehold reset (on [\s\S]*?)^```$/m.exec(page)?.[1] ?? ''
  return shown.replaceAll('shop', namespace).trim().split(/\s+/)
}

const commands = rulesOf('any').filter(rule => rule.startsWith('+'))
/** Their refusal is seen in the server's log alone. */
const courtesy = ['+unsubscribe', '+info', '+client|setname', '+incr', '+pubsub|numsub']

/** Does everything there is to do as a user of these rules. @returns what went wrong */
async function problemsOf(without?: string): Promise<string[]> {
  const namespace = ownNamespace()
  const rules = rulesOf(namespace).filter(rule => rule !== without)
  await admin.call('ACL', 'SETUSER', namespace, 'reset', ...rules)
  const problems: string[] = []
  const url = server.url.replace('//', `//${namespace}:password@`)
  const open = (): Cache => {
    const cache = createCache({
      namespace,
      store: redisStore(`${url}?keyPrefix=app:`),
      commandTimeout: '2s',
      lease: 300,
    })
    cache.on('store-error', ({ command, code }) => problems.push(`${command} ${code}`))
    cache.on('connection', ({ part, state }) => state === 'down' && problems.push(`${part} ${state}`))
    cache.on('commit', ({ outcome }) => outcome !== 'stored' && problems.push(`commit ${outcome}`))
    return cache
  }
  const [cache, other] = [open(), open()]
  const wrong = (error: unknown): void => void problems.push(String(error))
  await invalidateTags(cache, other).catch(wrong)
  await cache.set('k', 1).catch(wrong)
  if ((await cache.get('k')) !== 1) problems.push('get')
  await cache.expire('k').catch(wrong)
  if ((await cache.getOrSet('k', () => 2)) !== 2) problems.push('getOrSet')
  await cache.delete('k').catch(wrong)
  await cache.getOrSet('nothing', () => undefined)
  await cache.getOrSet('failing', () => Promise.reject(new Error('no')), { errorCooldown: '1s' }).catch(() => {})
  await waitForAnother(cache, other, problems)
  await Promise.all([cache.close(), other.close()])
  return problems
}

/** Early, while no entry of the namespace lives for longer than a second: so that tags are soon old enough to be forgotten. */
async function invalidateTags(cache: Cache, other: Cache): Promise<void> {
  const tagged = { ttl: 500, tags: ['a'] }
  await cache.set('t', 1, tagged)
  await other.invalidateTags('b')
  if ((await cache.get('t')) !== 1) throw new Error('a look-up of tags')
  const old = performance.now() + 1_100
  await until(() => performance.now() > old)
  await other.invalidateTags('a')
  await other.clear()
}

/** One process loads for longer than the lease while another waits. */
async function waitForAnother(holder: Cache, waiter: Cache, problems: string[]): Promise<void> {
  let finish = (): void => {}
  let started = (): void => {}
  let done = false
  const underWay = new Promise<void>(resolve => (started = resolve))
  const first = holder.getOrSet('w', () => {
    started()
    return new Promise<string>(resolve => (finish = () => resolve('first')))
  })
  await underWay
  const second = waiter.getOrSet('w', () => 'second').finally(() => (done = true))
  const longerThanLease = performance.now() + 500
  await until(() => done || performance.now() > longerThanLease)
  finish()
  if (String(await Promise.all([first, second])) !== 'first,first') problems.push('waiting')
}

describe('the user of docs/security.md', () => {
  it('may do everything that Leasehold does, and the server logs no refusal', async () => {
    await admin.call('ACL', 'LOG', 'RESET')
    expect(await problemsOf()).toEqual([])
    expect(await refusalsOf(admin)).toEqual([])
  })

  it('needs every right that it has', { timeout: 30_000 }, async () => {
    const needed = commands.filter(command => !courtesy.includes(command))
    expect(needed.length).toBeGreaterThan(10)
    await admin.script('FLUSH')
    const missing = await problemsOf('+eval')
    const others = needed.filter(command => command !== '+eval')
    const found = await Promise.all(others.map(async command => [command, (await problemsOf(command)).length > 0]))
    expect(Object.fromEntries([['+eval', missing.length > 0], ...found]) as unknown).toEqual(
      Object.fromEntries(needed.map(command => [command, true])),
    )
  })
})
