import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache, defineKey } from '../../../src/index.ts'
import { Collector } from '../../../src/cli/top/collector.ts'
import { WakeUps } from '../../../src/cli/top/wake-ups.ts'
import { redisStore } from '../../../src/redis/index.ts'
import { runCli } from '../../cli-run.ts'
import { type RedisServer, startRedis } from '../../redis-server.ts'
import { Terminal } from '../../terminal.ts'
import { until } from '../fixture.ts'

let server: RedisServer
let admin: Redis
beforeAll(async () => {
  server = await startRedis({ args: ['--maxmemory', '256mb', '--maxmemory-policy', 'allkeys-lfu'] })
  admin = new Redis(server.url)
})
afterAll(async () => {
  admin.disconnect()
  await server.stop()
})

const open = () => createCache({ namespace: 'shop', store: redisStore(server.url), ttl: '5m', commandTimeout: '5s' })
const product = defineKey<{ id: number }>('catalog:product')

describe('leasehold top', () => {
  it('tells by resource what is stored, loaded and waited for', async () => {
    const [cache, other] = [open(), open()]
    const wakeUps = await WakeUps.listen(admin.duplicate())
    const collector = new Collector(admin, wakeUps)
    await collector.collect()
    for (let id = 0; id < 50; id++) await cache.set(product({ id }), 'x'.repeat(100))
    for (let i = 0; i < 200; i++) await cache.get(product({ id: 7 }))
    let finish = (): void => {}
    const loading = cache.getOrSet('report:1', () => new Promise<number>(resolve => (finish = () => resolve(1))))
    await until(async () => (await admin.keys('shop:*:l:report:1')).length === 1)
    const waiting = other.getOrSet('report:1', () => 2)
    await until(async () => (await collector.collect()).resources.find(({ resource }) => resource === 'report')?.waitedFor === 1)
    const during = await collector.collect()
    expect(during.resources.find(({ resource }) => resource === 'catalog:product')).toMatchObject({
      owner: 'shop',
      entries: 50,
      freshShare: 1,
      loading: 0,
    })
    expect(during.resources.find(({ resource }) => resource === 'report')).toMatchObject({ entries: 0, loading: 1, waitedFor: 1 })
    finish()
    await Promise.all([loading, waiting])
    let woken = 0
    await until(async () => (woken += (await collector.collect()).wakeUpsPerSecond ?? 0) > 0)
    const after = await collector.collect()
    expect(after.resources.find(({ resource }) => resource === 'report')).toMatchObject({ entries: 1, loading: 0, waitedFor: 0 })
    expect(after.resources.find(({ resource }) => resource === 'catalog:product')?.heat).toBeGreaterThan(4)
    await Promise.all([cache.close(), other.close()])
  })

  it('counts look-ups and commands since the frame before', async () => {
    const collector = new Collector(admin, undefined)
    const first = await collector.collect()
    expect([first.lookUps.perSecond, first.traffic, first.commands]).toEqual([undefined, undefined, []])
    await admin.set('found', '1', 'EX', 100)
    for (let i = 0; i < 30; i++) await admin.mget('found', 'missing', 'missing', 'missing')
    const second = await collector.collect()
    expect(second.lookUps.found).toBe(0.25)
    expect(second.commands.find(({ name }) => name === 'mget')?.perSecond).toBeGreaterThan(0)
    expect(second.wakeUpsPerSecond).toBeUndefined()
  })

  it('needs the rights that docs/cli.md gives, and no other', async () => {
    const page = readFileSync('docs/cli.md', 'utf8')
    const row = page.split('\n').find(line => line.startsWith('| `top` |')) ?? ''
    const rights = Array.from(row.replaceAll('\\|', '|').matchAll(/\+[a-z|]+/g), ([right]) => right)
    expect(rights).toContain('+psubscribe')
    await admin.call('ACL', 'SETUSER', 'watching', 'reset', 'on', '>password', '~*', '&*', '+ping', ...rights)
    await admin.set('shop:{p0001}:v:a:1', 'x', 'EX', 100)
    const watching = admin.duplicate({ username: 'watching', password: 'password' })
    const wakeUps = await WakeUps.listen(watching.duplicate())
    expect(wakeUps).toBeDefined()
    await admin.call('ACL', 'LOG', 'RESET')
    await new Collector(watching, wakeUps).collect()
    const log = (await admin.call('ACL', 'LOG')) as string[][]
    expect(log.map(entry => entry[entry.indexOf('object') + 1])).toEqual([])
    watching.disconnect()
  })

  it.each(['q', '\u0003'])('redraws one screen of the size that there is, and gives it back at %j', async key => {
    const terminal = new Terminal(70, 14)
    const ended = terminal.run(['top', '--interval', '1'], { REDIS_URL: server.url })
    await until(() => terminal.screens.length >= 2)
    expect(terminal.raw).toBe(true)
    terminal.press(key)
    expect(await ended).toBe(0)
    expect(terminal.raw).toBe(false)
    expect(terminal.output.startsWith('\u001B[?1049h\u001B[?25l')).toBe(true)
    expect(terminal.output.endsWith('\u001B[?25h\u001B[?1049l')).toBe(true)
    for (const screen of terminal.screens) {
      const lines = screen.split('\n')
      expect(lines.length).toBeLessThanOrEqual(14)
      expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(70)
    }
    expect(terminal.output).toContain('\u001B[1mleasehold top')
  })

  it('leaves the screen before it says what went wrong', async () => {
    const terminal = new Terminal(80, 24)
    expect(await terminal.run(['top'], { REDIS_URL: 'redis://127.0.0.1:1' })).toBe(2)
    expect(terminal.output).toBe('leasehold: 127.0.0.1:1: Redis cannot be reached (ECONNREFUSED)\n')
  })

  it('prints frames where no terminal is, and JSON when asked', async () => {
    const { stdout, exitCode } = await runCli(['top', '--frames', '1'], { env: { REDIS_URL: server.url } })
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^leasehold top {2}127\.0\.0\.1:\d+ {2}(Redis|Valkey) \d/)
    expect(stdout).toMatch(/^look-ups {2}– found/m)
    expect(stdout).toMatch(/^shop catalog:product +50 +100 % /m)
    const json = await runCli(['top', '--frames', '2', '--interval', '1', '--json'], { env: { REDIS_URL: server.url } })
    const frames = json.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { traffic?: { commandsPerSecond: number } })
    expect(frames.length).toBe(2)
    expect(frames[1]?.traffic?.commandsPerSecond).toBeGreaterThan(0)
  })
})
