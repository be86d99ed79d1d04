import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/index.ts'
import { redisStore } from '../../../src/redis/index.ts'
import { runCli } from '../../cli-run.ts'
import { FaultProxy } from '../../faults/fault-proxy.ts'
import { RewritingProxy } from '../../rewriting-proxy.ts'
import { type RedisServer, startRedis } from '../../redis-server.ts'
import { until } from '../fixture.ts'
import { diagnose } from './diagnosis.ts'

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.stop()
})

/** A server with nothing wrong for a cache, but for `args`. */
async function start(...args: string[]): Promise<{ server: RedisServer; admin: Redis }> {
  const lazy = ['eviction', 'expire', 'server-del', 'user-del'].flatMap(name => [`--lazyfree-lazy-${name}`, 'yes'])
  const sound = ['--maxmemory', '512mb', '--maxmemory-policy', 'allkeys-lfu', ...lazy, '--replica-lazy-flush', 'yes']
  const server = await startRedis({ args: [...sound, ...args] })
  const admin = new Redis(server.url)
  admin.on('error', () => {})
  open.push(server, { stop: async () => admin.disconnect() })
  return { server, admin }
}

describe('doctor and a server with one fault', () => {
  it('finds nothing without one', async () => {
    const { server } = await start()
    const { bad, exitCode } = await diagnose(server.url)
    expect(bad).toEqual([])
    expect(exitCode).toBe(0)
  })

  const settings: readonly (readonly [fault: string, check: string, args: string[], role: string])[] = [
    ['no maxmemory', 'maxmemory', ['--maxmemory', '0'], 'cache'],
    ['more maxmemory than the machine has', 'maxmemory', ['--maxmemory', '900gb'], 'cache'],
    ['noeviction on a cache', 'eviction policy', ['--maxmemory-policy', 'noeviction'], 'cache'],
    ['random eviction', 'eviction policy', ['--maxmemory-policy', 'allkeys-random'], 'cache'],
    ['allkeys-lru on a queue', 'eviction policy', ['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'yes'], 'queue'],
    ['volatile-lru on a queue', 'eviction policy', ['--maxmemory-policy', 'volatile-lru', '--appendonly', 'yes'], 'queue'],
    ['lazy freeing off', 'lazy freeing', ['--lazyfree-lazy-eviction', 'no'], 'cache'],
    ['no keep-alive', 'keep-alive', ['--tcp-keepalive', '0'], 'cache'],
    ['a low maxclients', 'clients', ['--maxclients', '50'], 'cache'],
    ['snapshots of a cache', 'persistence', ['--save', '60 1'], 'cache'],
    ['an append-only file of a cache', 'persistence', ['--appendonly', 'yes'], 'cache'],
    ['no persistence of a queue', 'persistence', ['--maxmemory-policy', 'noeviction'], 'queue'],
    ['the slow log off', 'slow log', ['--slowlog-log-slower-than', '-1'], 'cache'],
  ]
  it.each(settings)('finds %s', async (_fault, check, args, role) => {
    const { server } = await start(...args)
    const { bad, of } = await diagnose(server.url, ['--role', role])
    expect(bad).toEqual([check])
    expect(of(check)).toMatchObject({ why: expect.stringMatching(/\w/) as unknown, fix: expect.stringMatching(/\w/) as unknown })
  })

  it('finds why nothing can be written: a full server, or a replica', async () => {
    const { server } = await start('--maxmemory', '1mb', '--maxmemory-policy', 'noeviction')
    const full = await diagnose(server.url, ['--write'])
    expect(full.of('write probe')).toMatchObject({
      state: 'problem',
      finding: expect.stringContaining('failed: Redis is out of memory') as unknown,
      fix: expect.stringContaining('eviction policy') as unknown,
    })
    const replica = await start('--replicaof', '127.0.0.1', String(server.port))
    expect((await diagnose(replica.server.url, ['--write'])).of('write probe')).toMatchObject({
      state: 'problem',
      finding: 'writing, reading and deleting a key failed: this server is a replica, which takes no writes',
      fix: 'point REDIS_URL at the primary',
    })
    expect(await runCli(['delete', 'a', '-n', 'shop', '--url', replica.server.url])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `leasehold: 127.0.0.1:${replica.server.port}: this server is a replica, which takes no writes; nothing is known to have been done, so name its primary\n`,
    })
  })

  it('finds that Redis is older than 7, as it says itself', async ({ skip }) => {
    const { server, admin } = await start()
    skip((await admin.info('server')).includes('valkey_version'), 'no Valkey is too old')
    const older = await RewritingProxy.start(server.port, {
      // As long as before, since a length stands before it.
      reply: text =>
        text.replace(/redis_version:(\S+)\r\nredis_git_sha1:(\S+)/, whole => {
          const head = 'redis_version:6.2.14\r\nredis_git_sha1:'
          return head.padEnd(whole.length, '0')
        }),
    })
    open.push(older)
    const { of, bad, exitCode } = await diagnose(older.url)
    expect(of('version')).toMatchObject({ state: 'problem', finding: 'Redis 6.2.14 is too old' })
    expect({ bad, exitCode }).toEqual({ bad: ['version'], exitCode: 1 })
  })

  it('advises what clears the finding', async () => {
    const { server, admin } = await start(
      '--maxmemory-policy',
      'noeviction',
      '--tcp-keepalive',
      '0',
      '--save',
      '60 1',
      '--lazyfree-lazy-expire',
      'no',
    )
    const before = await diagnose(server.url)
    expect(before.bad.length).toBe(4)
    for (const check of before.bad) {
      const command = /^CONFIG SET ([\w -]+?)(?: ""|(?=, and)|$)/.exec(before.of(check).fix ?? '')
      const words = (command?.[1] ?? '').trim().split(' ')
      await admin.call('CONFIG', 'SET', ...words, ...(words.length % 2 === 0 ? [] : ['']))
    }
    expect((await diagnose(server.url)).bad).toEqual([])
  })

  it('finds volatile-* with keys that never expire', async () => {
    const { server, admin } = await start('--maxmemory-policy', 'volatile-lru')
    expect((await diagnose(server.url)).of('eviction policy').state).toBe('info')
    await admin.set('shop:{p0001}:v:a', 'x')
    const { of } = await diagnose(server.url)
    expect(of('eviction policy')).toMatchObject({ state: 'problem', finding: expect.stringContaining('never expire') as unknown })
    expect(of('keys without lifetime').state).toBe('warning')
  })

  it('finds clients near maxclients', async () => {
    const { server } = await start('--maxclients', '10')
    const clients = Array.from({ length: 8 }, () => new Redis(server.url))
    await Promise.all(clients.map(client => client.ping()))
    const { of } = await diagnose(server.url)
    for (const client of clients) client.disconnect()
    expect(of('clients')).toMatchObject({
      state: 'problem',
      finding: expect.stringMatching(/1?\d clients of 10: \d+ % are taken/) as unknown,
    })
  })

  it('finds a slow log full of what is not ours, and names commands without their arguments', async () => {
    const { server, admin } = await start('--enable-debug-command', 'local')
    await admin.call('DEBUG', 'POPULATE', 300_000)
    await admin.config('SET', 'slowlog-log-slower-than', 1_000)
    for (let i = 0; i < 12; i++) await admin.keys('secret-pattern*')
    await admin.config('SET', 'slowlog-log-slower-than', 10_000)
    const { of } = await diagnose(server.url)
    expect(of('slow log')).toMatchObject({
      state: 'warning',
      finding: expect.stringContaining("not Leasehold's: KEYS 12 times") as unknown,
    })
    expect(JSON.stringify(of('slow log'))).not.toContain('secret-pattern')
  })

  it('tells a slow log that keeps everything from slow commands', async () => {
    const { server, admin } = await start('--slowlog-log-slower-than', '0')
    for (let i = 0; i < 60; i++) await admin.get('a')
    const { of } = await diagnose(server.url)
    expect(of('slow log')).toMatchObject({
      state: 'warning',
      finding: expect.stringMatching(
        /^slowlog-log-slower-than is 0: the slow log keeps every command; \d of 1 ms or more in the last 24 h$/,
      ) as unknown,
      fix: expect.stringContaining('CONFIG SET slowlog-log-slower-than 10000') as unknown,
    })
    expect(of('slow log').finding).not.toContain('GET')
  })

  it('finds fragmentation', async () => {
    const { server, admin } = await start('--enable-debug-command', 'local', '--maxmemory', '2gb')
    await admin.call('DEBUG', 'POPULATE', 600_000, 'k', 200)
    const thin = "for i = tonumber(ARGV[1]), tonumber(ARGV[1]) + 9999 do if i % 8 ~= 0 then redis.call('DEL', 'k:' .. i) end end"
    for (let from = 0; from < 600_000; from += 10_000) await admin.eval(thin, 0, from)
    await until(async () => Number(/^mem_fragmentation_ratio:([\d.]+)/m.exec(await admin.info('memory'))?.[1]) > 1.6)
    const { of } = await diagnose(server.url, ['--keys', '10'])
    expect(of('fragmentation')).toMatchObject({
      state: 'warning',
      finding: expect.stringMatching(/ratio [1-9]\.\d\d: .* MiB/) as unknown,
    })
  })

  it('finds big keys', async () => {
    const { server, admin } = await start()
    await admin.set('shop:{p0001}:v:report:2025', Buffer.alloc(3 * 1024 ** 2), 'EX', 100)
    const { of } = await diagnose(server.url)
    expect(of('big keys')).toMatchObject({
      state: 'warning',
      finding: expect.stringMatching(/^1 key .*shop…report:… \(3(\.\d)? MiB\)/) as unknown,
    })
  })

  it('finds keys outside any namespace, and shows no more than how they begin', async () => {
    const { server, admin } = await start()
    await admin.set('session:ada@example.org', 'x', 'EX', 100)
    const { of } = await diagnose(server.url)
    expect(of('layout')).toMatchObject({ state: 'warning', finding: expect.stringContaining('session:…') as unknown })
    expect(JSON.stringify(of('layout'))).not.toContain('ada@')
  })

  it('finds entries that stand where nobody looks for them', async () => {
    const { server, admin } = await start()
    await admin.set('shop:{p1000}:v:a', 'x', 'EX', 100)
    expect((await diagnose(server.url)).of('layout')).toMatchObject({
      state: 'warning',
      finding: expect.stringContaining('partition') as unknown,
    })
  })

  it('finds a cliff of lifetimes, by when entries stop being fresh', async () => {
    const { server } = await start()
    const cliff = createCache({
      namespace: 'cliff',
      store: redisStore(server.url),
      ttl: '10m',
      staleIfError: '1h',
      jitter: 0,
      commandTimeout: '5s',
    })
    for (let i = 0; i < 300; i++) await cliff.set(`k:${i}`, i)
    await cliff.close()
    const { of } = await diagnose(server.url)
    expect(of('lifetimes')).toMatchObject({
      state: 'warning',
      finding: expect.stringMatching(/^100 % of 300 keys expire within .* in 10 min$/) as unknown,
    })
  })

  it('finds no cliff where jitter spreads lifetimes', async () => {
    const { server } = await start()
    const cache = createCache({ namespace: 'spread', store: redisStore(server.url), ttl: '10m', commandTimeout: '5s' })
    for (let i = 0; i < 300; i++) await cache.set(`k:${i}`, i)
    await cache.close()
    const { bad, of } = await diagnose(server.url)
    expect(bad).toEqual([])
    expect(of('namespaces').finding).toMatch(/^spread: 30\d keys, \d+(\.\d)? KiB$/)
  })

  it('finds a low hit ratio', async () => {
    const { server, admin } = await start()
    await admin.set('shop:{p0001}:v:a', 'x', 'EX', 1000)
    const asked = Array.from({ length: 100 }, (_, at) => (at < 40 ? 'shop:{p0001}:v:a' : 'missing'))
    for (let i = 0; i < 120; i++) await admin.mget(asked)
    expect((await diagnose(server.url)).of('hit ratio')).toMatchObject({
      state: 'warning',
      finding: expect.stringMatching(/^40 % of/) as unknown,
    })
  })

  it('keeps what it knows of a server that stops answering', { timeout: 30_000 }, async () => {
    const { server, admin } = await start('--tcp-keepalive', '0')
    const diagnosis = diagnose(server.url, ['--samples', '10000'])
    await until(async () => Number(/cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0) > 20)
    process.kill(server.pid, 'SIGSTOP')
    const { of, exitCode } = await diagnosis
    expect(exitCode).toBe(1)
    expect(of('answers')).toMatchObject({
      state: 'problem',
      finding: 'Redis stopped answering, on a connection that stands, while the doctor was timing round trips',
    })
    expect(of('version').state).toBe('ok')
    expect(of('keep-alive').state).toBe('warning')
  })

  it('finds high latency', async () => {
    const { server } = await start()
    await using proxy = await FaultProxy.start(server.port)
    proxy.delay('requests', 12)
    const { of, exitCode } = await diagnose(proxy.url, ['--samples', '20'])
    expect(of('latency')).toMatchObject({
      state: 'problem',
      finding: expect.stringMatching(/^20 round trips: p50 \d+ ms/) as unknown,
    })
    expect(exitCode).toBe(1)
  })

  it('finds a clock that is hours off', async () => {
    const { server } = await start()
    const { of } = await diagnose(server.url, [], { wallNow: () => Date.now() - 3 * 3_600_000 })
    expect(of('clock')).toMatchObject({ state: 'warning', finding: "the server's clock is 3 h ahead of this machine's" })
  })
})

describe('doctor and replication', () => {
  it('finds a replica that lags', { timeout: 40_000 }, async () => {
    const { server, admin } = await start()
    const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${server.port}`] })
    open.push(replica)
    await until(async () => /slave0:.*state=online/.test(await admin.info('replication')))
    expect((await diagnose(server.url)).of('replication').state).toBe('ok')
    process.kill(replica.pid, 'SIGSTOP')
    await admin.set('shop:{p0001}:v:a', Buffer.alloc(1024), 'EX', 100)
    await expect
      .poll(async () => Number(/lag=(\d+)/.exec(await admin.info('replication'))?.[1]), { timeout: 20_000, interval: 200 })
      .toBeGreaterThanOrEqual(5)
    const { of } = await diagnose(server.url)
    process.kill(replica.pid, 'SIGCONT')
    expect(of('replication')).toMatchObject({
      state: 'warning',
      finding: expect.stringMatching(/last heard of [5-9] s ago/) as unknown,
    })
  })

  it('finds that it was sent to a replica', async () => {
    const { server } = await start()
    const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${server.port}`] })
    open.push(replica)
    expect((await diagnose(replica.url)).of('replication').state).toBe('problem')
  })
})
