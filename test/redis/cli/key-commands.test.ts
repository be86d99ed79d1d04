import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/index.ts'
import { lz4 } from '../../../src/codec/lz4.ts'
import { redisStore } from '../../../src/redis/index.ts'
import { aclRules } from '../../../src/cli/doctor/rights.ts'
import { runCli } from '../../cli-run.ts'
import { Terminal } from '../../terminal.ts'
import { startRedis } from '../../redis-server.ts'
import { ownNamespace, sharedRedisUrl } from '../../shared-redis.ts'
import { until } from '../fixture.ts'

let namespace = ''
let cache: Cache
let admin: Redis
const url = (): string => `${sharedRedisUrl()}?keyPrefix=app:`

beforeAll(() => {
  admin = new Redis(sharedRedisUrl())
})
afterAll(() => admin.disconnect())
beforeEach(() => {
  namespace = ownNamespace()
  cache = createCache({ namespace, store: redisStore(url()), ttl: '5m', jitter: 0, commandTimeout: '5s', storeBudget: '10s' })
  return () => cache.close()
})

async function cli(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return runCli(args, { env: { REDIS_URL: url() } })
}

async function inspected(key: string, ...args: string[]): Promise<Record<string, Record<string, unknown>>> {
  const { stdout } = await cli('inspect', key, '--namespace', namespace, '--json', ...args)
  return JSON.parse(stdout) as Record<string, Record<string, unknown>>
}

describe('leasehold inspect', () => {
  it('decodes an entry and keeps its value to itself', async () => {
    await cache.getOrSet('user:1', async () => {
      await new Promise(resolve => setTimeout(resolve, 20))
      return { name: 'sentinel Ada', tags: ['x'] }
    })
    const { exitCode, stdout } = await cli('inspect', 'user:1', '--namespace', namespace)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(
      new RegExp(
        `^${namespace}  user:1\\nredis key +app:${namespace}:\\{p\\d{4}\\}:v:user:1\\nfreshness +fresh for 5 min more, kept for 5 min more`,
      ),
    )
    expect(stdout).toMatch(/^codec +msgpack, compression none$/m)
    expect(stdout).toMatch(/^lease +none: nobody loads this key$/m)
    expect(stdout).toMatch(/^value +object with 2 properties \(--show-value shows it\)$/m)
    expect(stdout).not.toContain('sentinel')
    const { entry } = await inspected('user:1')
    expect(entry).toMatchObject({
      header: { freshness: 'fresh', codec: 'msgpack', compression: 'none' },
      shape: 'object with 2 properties',
    })
    expect(entry?.['header']).toMatchObject({ loadMs: expect.any(Number) as unknown })
    expect(stdout).toMatch(/^load +took \d\d+ ms$/m)
    expect(entry).not.toHaveProperty('value')
  })

  it('shows the value when asked', async () => {
    await cache.set('user:1', { name: 'Ada', born: 1815n, at: new Map([['a', 1]]) })
    expect((await cli('inspect', 'user:1', '-n', namespace, '--show-value')).stdout).toContain(
      "{ name: 'Ada', born: 1815n, at: Map(1) { 'a' => 1 } }",
    )
    expect((await inspected('user:1', '--show-value'))['entry']).toMatchObject({
      value: { name: 'Ada', born: '1815', at: [['a', 1]] },
    })
  })

  it.each([
    ['deflate', 'deflate' as const],
    ['lz4', lz4()],
  ])('reads entries compressed by %s', async (name, compression) => {
    const packed = createCache({ namespace, store: redisStore(url()), compression, compressAbove: 0, commandTimeout: '5s' })
    await packed.set('text', 'a'.repeat(5_000))
    await packed.close()
    expect((await inspected('text'))['entry']).toMatchObject({
      header: { compression: name, payloadBytes: 5_008 },
      shape: 'text of 5,000 characters',
    })
  })

  it('tells stale by the ttl from stale by expire', async () => {
    await cache.set('old', 1, { ttl: 1, staleIfError: '1h' })
    await cache.set('marked', 1)
    await cache.expire('marked')
    await until(async () => (await cache.getEntry('old'))?.fresh === false)
    expect((await inspected('old'))['entry']).toMatchObject({ header: { freshness: 'stale' } })
    expect((await cli('inspect', 'marked', '-n', namespace)).stdout).toMatch(
      /^freshness +stale, marked by expire, kept for 5 min more$/m,
    )
  })

  it('shows who loads, and whether others wait', async () => {
    let finish = (): void => {}
    const other = createCache({ namespace, store: redisStore(url()), commandTimeout: '5s' })
    const loading = cache.getOrSet('slow', () => new Promise<number>(resolve => (finish = () => resolve(1))))
    await until(async () => (await inspected('slow'))['lease']?.['state'] === 'held')
    const waiting = other.getOrSet('slow', () => 2)
    await until(async () => (await inspected('slow'))['lease']?.['state'] === 'waited for')
    const { stdout, exitCode } = await cli('inspect', 'slow', '-n', namespace)
    expect(stdout).toMatch(/^entry +none$/m)
    expect(stdout).toMatch(/^lease +held by load [0-9a-f]{32} for \d+ ms more, others wait for it$/m)
    expect(exitCode).toBe(0)
    finish()
    expect(await Promise.all([loading, waiting])).toEqual([1, 1])
    await other.close()
  })

  it('shows what a load that stored nothing left behind', async () => {
    await cache.getOrSet('nothing', () => undefined)
    expect((await inspected('nothing'))['lease']).toMatchObject({ state: 'do not queue' })
    const failing = Object.assign(new Error('no'), { code: 'E_DOWN' })
    await cache.getOrSet('failing', () => Promise.reject(failing), { errorCooldown: '1m' }).catch(() => {})
    expect((await inspected('failing'))['lease']).toMatchObject({ state: 'cooling down', errorCode: 'E_DOWN' })
  })

  it('says why bytes are no entry', async () => {
    await cache.set('a', 1)
    const { redisKey } = (await inspected('a')) as unknown as { redisKey: string }
    const bytes = (await admin.getBuffer(redisKey))!
    bytes[bytes.length - 1]! ^= 1
    await admin.set(redisKey, bytes, 'EX', 100)
    const damaged = await cli('inspect', 'a', '-n', namespace)
    expect(damaged.exitCode).toBe(1)
    expect(damaged.stdout).toMatch(/^entry +unreadable: damaged, or copied from another key/m)
    await admin.set(redisKey, 'something else', 'EX', 100)
    expect((await cli('inspect', 'a', '-n', namespace)).stdout).toMatch(/^entry +unreadable: these bytes are no entry/m)
  })

  it.each(['list', 'hash'])('says that a %s is no entry', async type => {
    await cache.set('a', 1)
    const { redisKey } = (await inspected('a')) as unknown as { redisKey: string }
    await admin.del(redisKey)
    await (type === 'list' ? admin.rpush(redisKey, 'x') : admin.hset(redisKey, 'x', '1'))
    const { exitCode, stdout, stderr } = await cli('inspect', 'a', '-n', namespace)
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' })
    expect(stdout).toMatch(/^entry +unreadable: what stands here is no entry[^\n]*\nkept +for ever, which no entry should be$/m)
    expect(await inspected('a')).toMatchObject({ entry: { unreadable: 'type' } })
    await admin.del(redisKey)
  })

  it('needs no rights but those of an application', async () => {
    await cache.set('user:1', 1, { tags: ['team:a'] })
    await cache.invalidateTags(['team:a'])
    const user = `user-${namespace}`
    await admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>sentinel-password', ...aclRules('app:', namespace).split(' '))
    const env = { REDIS_URL: url().replace('//', `//${user}:sentinel-password@`) }
    const { exitCode, stdout, stderr } = await runCli(['inspect', 'user:1', '-n', namespace], { env })
    await admin.call('ACL', 'DELUSER', user)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/invalidated since: team:a/)
  })

  it('names other versions, and exits with 1 when there is nothing', async () => {
    await cache.set('user:1', 1, { version: 2 })
    const { exitCode, stdout } = await cli('inspect', 'user:1', '-n', namespace)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^versions +also stored: 2/m)
    expect((await inspected('user:1', '--key-version', '2'))['entry']).toMatchObject({ shape: 'number' })
  })

  it('shows no control characters of a key', async () => {
    await cache.set('evil\u001B[31m', 1)
    expect((await cli('inspect', 'evil\u001B[31m', '-n', namespace)).stdout).not.toContain('\u001B')
    expect((await cli('keys', '-n', namespace)).stdout).not.toContain('\u001B')
  })
})

describe('leasehold keys', () => {
  it('lists the entries of a namespace and of no other', async () => {
    await cache.set('user:1', 1)
    await cache.set('user:{2}', 1, { version: 3 })
    await cache.set('order:1', 1)
    await admin.set(`other-${namespace}:{p0001}:v:x`, '1', 'EX', 100)
    const { stdout } = await cli('keys', '--namespace', namespace)
    expect(
      stdout
        .split('\n')
        .slice(1, -1)
        .map(line => line.split(/ +/).slice(0, 4).join(' '))
        .toSorted(),
    ).toEqual(['order:1 0 for 5', 'user:1 0 for 5', 'user:{2} 3 for 5'])
    const { entries } = JSON.parse((await cli('keys', 'user:*', '-n', namespace, '--json')).stdout) as {
      entries: { key: string }[]
    }
    expect(entries.map(({ key }) => key).toSorted()).toEqual(['user:1', 'user:{2}'])
  })

  const freshness = async (...args: string[]): Promise<Record<string, string>> => {
    const { entries } = JSON.parse((await cli('keys', '-n', namespace, '--json', ...args)).stdout) as {
      entries: { key: string; freshness: string }[]
    }
    return Object.fromEntries(entries.map(entry => [entry.key, entry.freshness]))
  }

  it('calls nothing fresh that a tag, or clear, has invalidated', async () => {
    await cache.set('user:1', 1, { tags: ['team:a', 'plan:pro'] })
    await cache.set('user:2', 2, { tags: ['team:b'] })
    await cache.set('user:3', 3)
    expect(new Set(Object.values(await freshness()))).toEqual(new Set(['fresh']))
    await cli('invalidate-tags', 'plan:pro', '--namespace', namespace)
    expect(await freshness()).toEqual({ 'user:1': 'invalidated', 'user:2': 'fresh', 'user:3': 'fresh' })
    await cli('clear', '--namespace', namespace, '--yes')
    await cache.set('user:4', 4)
    expect(await freshness()).toEqual({ 'user:1': 'cleared', 'user:2': 'cleared', 'user:3': 'cleared', 'user:4': 'fresh' })
    await admin.del(`app:${namespace}:{t}:n`)
    expect((await freshness())['user:4']).toBe('forgotten')
    expect((await cli('keys', 'user:1', '-n', namespace)).stdout).toMatch(/^user:1 +0 +forgotten +for 5 min/m)
  })

  it('looks tags up in commands of bounded length', async () => {
    for (let each = 0; each < 30; each++)
      await cache.set(`k:${each}`, each, { tags: Array.from({ length: 50 }, (_, tag) => `tag:${each}:${tag}`) })
    await cache.invalidateTags(['tag:0:0', 'tag:29:49'])
    const stale = Object.entries(await freshness()).filter(([, state]) => state !== 'fresh')
    expect(Object.fromEntries(stale)).toEqual({ 'k:0': 'invalidated', 'k:29': 'invalidated' })
  })

  it('calls unreadable what is damaged, cut short, or copied from another key', async () => {
    const redisKey = async (key: string): Promise<string> => ((await inspected(key)) as unknown as { redisKey: string }).redisKey
    await cache.set('whole', 'x'.repeat(100))
    await cache.set(`long:${'k'.repeat(600)}`, 1)
    for (const key of ['damaged', 'cut', 'copy', 'strayed']) await cache.set(key, 'x'.repeat(100))
    const whole = (await admin.getBuffer(await redisKey('whole')))!
    const damaged = Buffer.from((await admin.getBuffer(await redisKey('damaged')))!)
    damaged[120]! ^= 1
    await admin.set(await redisKey('damaged'), damaged, 'EX', 100)
    await admin.set(await redisKey('cut'), (await admin.getBuffer(await redisKey('cut')))!.subarray(0, 130), 'EX', 100)
    await admin.set(await redisKey('copy'), whole, 'EX', 100)
    const strayed = await redisKey('strayed')
    await admin.rename(
      strayed,
      strayed.replace(/p\d{4}/, partition => (partition === 'p0000' ? 'p0001' : 'p0000')),
    )
    await admin.set(`app:${namespace}:{p0000}:v:elsewhere`, whole, 'EX', 100)
    const { whole: sound, ...rest } = await freshness()
    const [[, long] = []] = Object.entries(rest).filter(([key]) => key.startsWith('long:'))
    expect({ sound, long }).toEqual({ sound: 'fresh', long: 'fresh' })
    const states = Object.entries(rest).filter(([key]) => !key.startsWith('long:'))
    expect(Object.fromEntries(states)).toEqual({
      copy: 'unreadable',
      cut: 'unreadable',
      damaged: 'unreadable',
      elsewhere: 'unreadable',
      strayed: 'unreadable',
    })
  })

  it('takes the entries of a codec of your own for what they are', async () => {
    const own = { id: 200, name: 'own', serialize: () => Buffer.from('x'), deserialize: () => 'x' }
    const other = createCache({ namespace, store: redisStore(url()), codec: own, commandTimeout: '5s' })
    await other.set('own', 1, { tags: ['team:a'] })
    expect(await freshness()).toEqual({ own: 'fresh' })
    expect((await cli('inspect', 'own', '-n', namespace)).exitCode).toBe(0)
    await other.invalidateTags(['team:a'])
    expect(await freshness()).toEqual({ own: 'invalidated' })
    await other.close()
  })

  it('stops at the limit and says so', async () => {
    for (let i = 0; i < 5; i++) await cache.set(`k:${i}`, i)
    const { stdout, stderr } = await cli('keys', '-n', namespace, '--limit', '3')
    expect(stdout.trim().split('\n').length).toBe(4)
    expect(stderr).toContain('the first 3')
  })

  it('lists namespaces when it is given none', async () => {
    await cache.set('user:1', 1)
    const { namespaces } = JSON.parse((await cli('keys', '--json')).stdout) as {
      namespaces: { namespace: string; keys: number }[]
    }
    expect(namespaces.find(found => found.namespace === `app:${namespace}`)?.keys).toBeGreaterThanOrEqual(1)
  })
})

describe('leasehold delete', () => {
  it('deletes, and revokes a load that is running', async () => {
    await cache.set('a', 1)
    await cache.set('b', 1)
    let finish = (): void => {}
    let started = false
    const loading = cache.getOrSet('slow', () => {
      started = true
      return new Promise<number>(resolve => (finish = () => resolve(1)))
    })
    await until(() => started)
    const { exitCode, stdout } = await cli('delete', 'a', 'slow', '--namespace', namespace)
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `deleted 2 keys in ${namespace} (1 entry was there): loads of them that were running will not be stored\n`,
    })
    finish()
    await loading
    expect(await Promise.all(['a', 'slow', 'b'].map(key => cache.get(key)))).toEqual([undefined, undefined, 1])
  })

  it('says when there was no entry, and counts one that a neighbouring version has', async () => {
    expect((await cli('delete', 'nope', '-n', namespace)).stdout).toBe(
      `deleted 1 key in ${namespace} (there was no entry): loads of them that were running will not be stored\n`,
    )
    await cache.set('a', 1, { version: 3 })
    expect((await cli('delete', 'a', '-n', namespace, '--key-version', '2')).stdout).toMatch(/^deleted 1 key in [^(]*: loads/)
    expect(await cache.get('a', { version: 3 })).toBeUndefined()
  })

  it('fails when Redis was not told: nobody is left to tell it later', async () => {
    const paused = await startRedis()
    const pauser = new Redis(paused.url)
    await pauser.call('CLIENT', 'PAUSE', 60_000, 'WRITE')
    const { exitCode, stderr, stdout } = await runCli(['delete', 'a', '-n', 'shop', '--url', paused.url])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^leasehold: 127\.0\.0\.1:\d+: Redis did not answer in time/)
    pauser.disconnect()
    await paused.stop()
  })

  it('fails with the reason and no stack trace', async () => {
    const { exitCode, stderr } = await runCli(['delete', 'a', '-n', 'shop', '--url', 'redis://u:sentinel@127.0.0.1:1'])
    expect(exitCode).toBe(2)
    expect(stderr).toBe('leasehold: 127.0.0.1:1: Redis cannot be reached (ECONNREFUSED)\n')
  })
})

describe('leasehold invalidate-tags', () => {
  it('invalidates what has one of the tags, and inspect tells', async () => {
    await cache.set('user:1', 1, { tags: ['team:a', 'plan:pro'] })
    await cache.set('user:2', 2, { tags: ['team:b'] })
    expect((await cli('inspect', 'user:1', '-n', namespace)).stdout).toMatch(
      /^validity +nothing has invalidated it\ntags +team:a, plan:pro$/m,
    )
    const { exitCode, stdout } = await cli('invalidate-tags', 'team:a', 'team:c', '--namespace', namespace)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(new RegExp(`^invalidated 2 tags in ${namespace}:`))
    expect(await Promise.all([cache.get('user:1'), cache.get('user:2')])).toEqual([undefined, 2])
    expect((await cli('inspect', 'user:1', '-n', namespace)).stdout).toMatch(
      /^tags +team:a, plan:pro; invalidated since: team:a/m,
    )
    expect((await inspected('user:1'))['entry']).toMatchObject({
      standing: { tags: ['team:a', 'plan:pro'], validity: 'tags', invalidatedTags: ['team:a'] },
    })
    expect((await inspected('user:2'))['entry']).toMatchObject({ standing: { tags: ['team:b'], validity: 'valid' } })
  })
})

describe('leasehold clear', () => {
  it('asks, and clears nothing unless the answer is yes', async () => {
    await cache.set('user:1', 1)
    for (const answer of ['n', '', 'nope']) {
      const terminal = new Terminal(80, 24)
      const ended = terminal.run(['clear', '--namespace', namespace], { REDIS_URL: url() })
      await until(() => terminal.output.includes('[y/N]'))
      terminal.press(`${answer}\n`)
      expect(await ended).toBe(1)
      expect(terminal.output).toMatch(/nothing was cleared\n$/)
    }
    expect(await cache.get('user:1')).toBe(1)
  })

  it('takes the end of the input for a no', async () => {
    await cache.set('user:1', 1)
    const terminal = new Terminal(80, 24)
    const ended = terminal.run(['clear', '--namespace', namespace], { REDIS_URL: url() })
    await until(() => terminal.output.includes('[y/N]'))
    terminal.endInput()
    expect(await ended).toBe(1)
    expect(await cache.get('user:1')).toBe(1)
  })

  it('clears after a yes', async () => {
    await cache.set('user:1', 1)
    const terminal = new Terminal(80, 24)
    const ended = terminal.run(['clear', '--namespace', namespace], { REDIS_URL: url() })
    await until(() => terminal.output.includes(`Clear everything in app:${namespace} on `))
    terminal.press('y\n')
    expect(await ended).toBe(0)
    expect(await cache.get('user:1')).toBeUndefined()
    expect((await cli('inspect', 'user:1', '-n', namespace)).stdout).toMatch(/^validity +cleared/m)
  })

  it('does not ask with --yes, and refuses without it where nobody can be asked', async () => {
    await cache.set('user:1', 1)
    const refused = await cli('clear', '-n', namespace)
    expect(refused).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'leasehold: clear asks first, and nobody is at a terminal to answer: say --yes\n',
    })
    expect(await cache.get('user:1')).toBe(1)
    expect((await cli('clear', '-n', namespace, '--yes')).exitCode).toBe(0)
    expect(await cache.get('user:1')).toBeUndefined()
  })
})

describe('a namespace that nobody uses', () => {
  it.each([
    ['clear', ['--yes']],
    ['invalidate-tags', ['team:a']],
  ])('is left alone by %s', async (command, args) => {
    const nobodys = `${namespace}-nobodys`
    const { exitCode, stdout } = await cli(command, ...args, '-n', nobodys)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(new RegExp(`^nothing was (cleared|invalidated): there is no key in app:${nobodys} on 127`))
    expect(await admin.keys(`app:${nobodys}:*`)).toEqual([])
  })

  it.each(['{t}:n', '{t}:c', '{p0001}:v:a', '{p0001}:l:a'])('is none with %s in it', async name => {
    const other = `${namespace}-other`
    await admin.set(`app:${other}:${name}`, 'x', 'EX', 100)
    expect((await cli('clear', '--yes', '-n', other)).stdout).toMatch(/^cleared /)
  })

  it('is none where a process listens, which may hold copies', async () => {
    await cache.get('a')
    await until(async () => Number(((await admin.call('PUBSUB', 'NUMSUB', `app:${namespace}:bus`)) as unknown[])[1]) > 0)
    expect(await admin.keys(`app:${namespace}:*`)).toEqual([])
    expect((await cli('clear', '--yes', '-n', namespace)).stdout).toMatch(/^cleared /)
  })
})

describe('arguments that do not fit each other', () => {
  it.each([
    [['keys', 'user:*'], 'a pattern is looked for in a namespace: name it with --namespace'],
    [
      ['conf', '--role', 'queue', '--memory', '8gb', '--cores', '4', '--eviction', 'lru'],
      'a queue evicts nothing: --eviction is for --role cache',
    ],
    [['keys', '--url', 'redis://127.0.0.1:1/?db=x'], 'the URL has a db that is no number'],
    [['doctor', 'redis://127.0.0.1:1', '--url', 'redis://127.0.0.1:2'], 'name one server: as an argument or by --url, not both'],
  ])('are refused: %j', async (args, reason) => {
    expect(await cli(...args)).toEqual({ exitCode: 2, stdout: '', stderr: `leasehold: ${reason}\n` })
  })
})

it('an IPv6 address is shown in brackets', async () => {
  expect((await cli('keys', '--url', 'redis://[::1]:1')).stderr).toMatch(/^leasehold: \[::1\]:1: /)
})

describe('every command', () => {
  it('tells defaults in the words of the user', async () => {
    const { stdout } = await cli('conf', '--help')
    expect(stdout).toMatch(/--redis <version>[^(]*\(default:\s+7\.2\)/)
    expect(stdout).not.toContain('{')
  })

  const names = ['doctor', 'conf', 'top', 'inspect', 'keys', 'delete', 'invalidate-tags', 'clear', 'lint-keys']

  it.each(names)('%s has help with examples', async name => {
    const { exitCode, stdout } = await runCli([name, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ .*leasehold ${name}`))
  })

  it('is listed by --help and shown in docs/cli.md', async () => {
    const { stdout } = await runCli(['--help'])
    const listed = [...stdout.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name as string)
    expect(listed.toSorted()).toEqual(names.toSorted())
    const page = readFileSync('docs/cli.md', 'utf8')
    for (const name of names) expect(page).toMatch(new RegExp(`^## ${name}$|\\[.*\\]\\(doctor\\.md\\)`, 'm'))
  })

  it('refuses what it does not know in one line', async () => {
    expect((await runCli(['inspekt'])).stderr).toBe(
      "error: unknown command 'inspekt'\n(Did you mean inspect?)\n(--help tells more)\n",
    )
    expect((await runCli(['inspect', 'k'])).exitCode).toBe(2)
  })

  it('prints no colours where no terminal is', async () => {
    const outputs = await Promise.all([cli('doctor'), cli('keys'), cli('top', '--frames', '1')])
    // oxlint-disable-next-line no-control-regex
    for (const { stdout } of outputs) expect(stdout).not.toMatch(/\u001B/)
  })
})
