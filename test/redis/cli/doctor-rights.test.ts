import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readFileSync } from 'node:fs'
import { createCache } from '../../../src/index.ts'
import { redisStore } from '../../../src/redis/index.ts'
import { aclRules, courtesyCommands, neededCommands } from '../../../src/cli/doctor/rights.ts'
import { runCli } from '../../cli-run.ts'
import { type RedisServer, startRedis } from '../../redis-server.ts'
import { diagnose } from './diagnosis.ts'

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

const rules = aclRules('', 'shop').split(' ')

async function setUser(name: string, ...userRules: string[]): Promise<string> {
  await admin.call('ACL', 'SETUSER', name, 'reset', 'on', '>sentinel-password', ...userRules)
  return server.url.replace('//', `//${name}:sentinel-password@`)
}

describe("doctor and a user's rights", () => {
  it('asks for those that docs/security.md gives', () => {
    const shown = /^ACL SETUSER leasehold reset (on [\s\S]*?)^```$/m.exec(readFileSync('docs/security.md', 'utf8'))?.[1] ?? ''
    const commands = shown.split(/\s+/).flatMap(rule => (rule.startsWith('+') ? [rule.slice(1)] : []))
    expect(commands.toSorted()).toEqual([...neededCommands, ...courtesyCommands].toSorted())
  })

  it('is content with these', async () => {
    await setUser('fine', ...rules)
    const { of } = await diagnose(server.url, ['--user', 'fine', '--namespace', 'shop'])
    expect(of('rights')).toMatchObject({ state: 'ok', finding: 'user "fine" may do all that Leasehold does' })
  })

  it.each([...neededCommands])('finds that %s is missing', async command => {
    await setUser('lacking', ...rules.filter(rule => rule !== `+${command}`))
    const { of } = await diagnose(server.url, ['--user', 'lacking', '--namespace', 'shop', '--samples', '1'])
    expect(of('rights')).toMatchObject({ state: 'problem', finding: `user "lacking" has no right to: ${command}` })
    expect(of('rights').fix).toContain(`+${command}`)
  })

  it('finds that there is no such user', async () => {
    const { of } = await diagnose(server.url, ['--user', 'ghost', '--samples', '1'])
    expect(of('rights')).toMatchObject({ state: 'problem', finding: 'there is no such user as "ghost"' })
  })

  it('finds that nobody can log in as the user', async () => {
    await admin.call('ACL', 'SETUSER', 'off', 'reset', 'off', '>sentinel-password', 'allkeys', 'allchannels', '+@all')
    const off = await diagnose(server.url, ['--user', 'off', '--samples', '1'])
    expect(off.of('rights')).toMatchObject({
      state: 'problem',
      finding: 'user "off" is off: it cannot log in',
      fix: 'ACL SETUSER off on',
    })
    await admin.call('ACL', 'SETUSER', 'unkeyed', 'reset', 'on', 'allkeys', 'allchannels', '+@all', '-mget')
    const { finding, fix } = (await diagnose(server.url, ['--user', 'unkeyed', '--samples', '1'])).of('rights')
    expect(finding).toBe('user "unkeyed" has no right to: mget; and it has no password: it cannot log in')
    expect(fix).toMatch(/: \+mget >password$/)
    await admin.call('ACL', 'SETUSER', 'open', 'reset', 'on', 'nopass', 'allkeys', 'allchannels', '+@all')
    expect((await diagnose(server.url, ['--user', 'open', '--samples', '1'])).of('rights').state).toBe('ok')
  })

  it('says what a missing channel costs, and that there are two', async () => {
    await setUser('deaf', ...rules.filter(rule => !rule.startsWith('&')))
    const { of } = await diagnose(server.url, ['--user', 'deaf', '--namespace', 'shop', '--samples', '1'])
    expect(of('rights')).toMatchObject({
      finding: 'user "deaf" has no right to: channel shop:bus',
      why: 'wake-ups cannot be heard, so waiting calls poll; everything else works',
      fix: 'ACL SETUSER deaf with the rules of docs/security.md, or: &shop:bus &shop:changes',
    })
    const second = await diagnose(`${server.url}/2`, ['--user', 'deaf', '--namespace', 'shop', '--samples', '1'])
    expect(second.of('rights').fix).toMatch(/&shop:bus:2 &shop:changes:2$/)
    await setUser('deaf', ...rules.filter(rule => !rule.startsWith('&') && rule !== '+mget'))
    const more = await diagnose(server.url, ['--user', 'deaf', '--namespace', 'shop', '--samples', '1'])
    expect(more.of('rights').why).toMatch(/^what is refused fails at every call/)
  })

  it('finds that keys and channel are out of reach', async () => {
    await setUser('elsewhere', ...aclRules('', 'other').split(' '))
    const { of } = await diagnose(server.url, ['--user', 'elsewhere', '--namespace', 'shop'])
    expect(of('rights').finding).toBe('user "elsewhere" has no right to: keys shop:*, channel shop:bus')
    const behindPrefix = await diagnose(`${server.url}?keyPrefix=app:`, ['--user', 'elsewhere', '--namespace', 'other'])
    expect(behindPrefix.of('rights').finding).toContain('keys app:other:*')
  })

  it('says what it does not know as a user that may ask nothing', async () => {
    const url = await setUser('plain', ...rules.filter(rule => rule !== '+info'))
    const { of, bad, exitCode } = await diagnose(url, ['--namespace', 'shop'])
    expect(of('rights').state).toBe('unknown')
    expect(of('maxmemory')).toMatchObject({ state: 'unknown', finding: 'maxmemory could not be read' })
    expect(of('big keys').state).toBe('unknown')
    expect(of('scripts').state).toBe('ok')
    expect(bad).toEqual([])
    expect(exitCode).toBe(0)
  })

  it('finds by trying that such a user may not read or run scripts', async () => {
    const url = await setUser('poor', ...rules.filter(rule => rule !== '+mget' && rule !== '+evalsha'))
    const { of } = await diagnose(url, ['--namespace', 'shop'])
    expect(of('rights').finding).toBe('the user has no right to: mget, evalsha')
    expect(of('scripts').state).toBe('problem')
  })

  it('writes when told, and cleans up', async () => {
    const url = await setUser('writing', ...rules)
    expect((await diagnose(url, ['--namespace', 'shop', '--write'])).of('write probe').state).toBe('ok')
    expect(await admin.keys('shop:*')).toEqual([])
    expect((await diagnose(server.url, ['--write'])).of('write probe').state).toBe('ok')
    expect(await admin.keys('*doctor*')).toEqual([])
    const cache = createCache({ namespace: 'shop', store: redisStore(server.url), commandTimeout: '5s' })
    await cache.set('user:1', 1, { tags: ['team:a'] })
    await cache.invalidateTags(['team:b'])
    const kept = (await admin.keys('shop:*')).toSorted()
    await diagnose(url, ['--namespace', 'shop', '--write'])
    expect((await admin.keys('shop:*')).toSorted()).toEqual(kept)
    expect(await cache.get('user:1')).toBe(1)
    await cache.clear()
    await cache.close()
    await admin.del(...kept)
    const refused = await diagnose(url, ['--namespace', 'other', '--write'])
    expect(refused.of('write probe')).toMatchObject({
      state: 'problem',
      finding: expect.stringContaining('no permission') as unknown,
    })
  })

  it('names the namespace to write to, for a user that may not write elsewhere', async () => {
    const url = await setUser('limited', '~shop:*', '&*', '+@all')
    const { of } = await diagnose(url, ['--write'])
    expect(of('write probe')).toMatchObject({
      finding: expect.stringContaining('no permission for the key') as unknown,
      fix: 'say whose keys the user may write: --namespace shop',
    })
    const asked = await setUser('limited', ...rules)
    expect((await diagnose(asked, ['--write'])).of('write probe').fix).toContain('--namespace <name>')
  })

  it('leaves nothing unknown to a user with the rights that docs/doctor.md gives', async () => {
    const shown = /^## Rights of the doctor's user\n\n`([^`]+)`/m.exec(readFileSync('docs/doctor.md', 'utf8'))?.[1] ?? ''
    const url = await setUser('looking', '~*', ...shown.split(' ').filter(rule => rule !== '+cluster|info'))
    await admin.set('shop:{p0001}:v:a', 'x', 'EX', 100)
    const { findings } = await diagnose(url, ['--user', 'default'])
    expect(findings.filter(({ state }) => state === 'unknown')).toEqual([])
  })

  it('writes nothing otherwise', async () => {
    await admin.call('CONFIG', 'RESETSTAT')
    await diagnose(server.url, ['--namespace', 'shop'])
    const stats = await admin.info('commandstats')
    const used = [...stats.matchAll(/^cmdstat_([\w|-]+):/gm)]
      .map(([, name]) => name as string)
      .filter(name => name !== 'config|resetstat')
    const reading = [
      'acl|dryrun',
      'acl|whoami',
      'client|setname',
      'config|get',
      'dbsize',
      'getrange',
      'memory|usage',
      'pttl',
      'evalsha',
      'hello',
      'info',
      'ping',
      'scan',
      'slowlog|get',
      'time',
    ]
    expect(
      used.filter(
        name => !reading.includes(name) && name !== 'client|setinfo' && name !== 'client|no-touch' && name !== 'select',
      ),
    ).toEqual([])
  })
})

it('leasehold keys uses SCAN, never KEYS', async () => {
  await admin.call('CONFIG', 'RESETSTAT')
  await runCli(['keys', '--url', server.url])
  await runCli(['keys', '--namespace', 'shop', '--url', server.url])
  const stats = await admin.info('commandstats')
  expect(stats).toContain('cmdstat_scan:')
  expect(stats).not.toContain('cmdstat_keys:')
})

describe('a password', () => {
  const shown = /sentinel/

  it.each([
    ['refused', ['doctor']],
    ['refused, for JSON', ['doctor', '--json']],
    ['as a command', ['redis://u:sentinel-password@h']],
    ['as an option', ['doctor', '--redis://u:sentinel-password@h']],
    ['as a role', ['doctor', '--role', 'redis://u:sentinel-password@h']],
    ['with a wrong option', ['doctor', '--no-such', 'redis://u:sentinel-password@h']],
  ])('is not printed: %s', async (_what, args) => {
    const url = server.url.replace('//', '//fine:sentinel-password-wrong@')
    const { stdout, stderr, exitCode } = await runCli(args, { env: { REDIS_URL: url } })
    expect(exitCode).toBe(2)
    expect(stderr).not.toBe('')
    expect(stdout + stderr).not.toMatch(shown)
  })

  it.each(['#', '/', '?', '%', '@', ':'])('is not printed when it is written unescaped with %s', async character => {
    const { stdout, stderr, exitCode } = await runCli(['doctor', `redis://u:sentinel${character}sentinel@127.0.0.1:1`])
    expect(exitCode).toBe(2)
    expect(stdout + stderr).not.toMatch(shown)
  })

  it.each([[[]], [['--json']], [['--write', '--namespace', 'shop']]])('is not printed when all goes well %s', async args => {
    const url = await setUser('fine', ...rules, '+config|get')
    const { stdout, stderr } = await runCli(['doctor', ...args], { env: { REDIS_URL: url } })
    expect(stdout).toContain('maxmemory')
    expect(stdout + stderr).not.toMatch(shown)
  })

  it('is not printed when Redis refuses a command, nor is a key', async () => {
    const url = await setUser('poor', '+ping')
    const { stderr, exitCode } = await runCli(['inspect', 'secret-key', '-n', 'shop', '--url', url])
    expect({ stderr, exitCode }).toEqual({
      exitCode: 2,
      stderr: `leasehold: 127.0.0.1:${server.port}: Redis refused a command: NOPERM (no permission for the command pttl)\n`,
    })
  })

  it('leaves no stack trace behind', async () => {
    const { stderr } = await runCli(['doctor', 'redis://127.0.0.1:1'])
    expect(stderr).toBe('leasehold: 127.0.0.1:1: Redis cannot be reached (ECONNREFUSED)\n')
  })
})

describe('the rights that docs/cli.md gives', () => {
  const table = /^## Rights$([\s\S]*?)^## /m.exec(readFileSync('docs/cli.md', 'utf8'))?.[1] ?? ''
  const needed = [...table.matchAll(/^\| `(\w+)(?: --namespace)?` \| `(\+[^`]*)`/gm)].map(
    ([row, command, rights]) => [row.includes('--namespace') ? `${command} -n shop` : command!, rights!] as const,
  )

  it('are there', () => expect(needed.map(([command]) => command)).toEqual(['inspect', 'keys', 'keys -n shop', 'top']))

  it.each(needed)('suffice for %s', async (command, rights) => {
    await admin.set('shop:{p0001}:v:a', 'x', 'EX', 100)
    const url = await setUser('looking', '~*', '+ping', ...rights.split(' '))
    const args = command === 'inspect' ? ['inspect', 'a', '-n', 'shop'] : command.split(' ')
    const { exitCode, stderr } = await runCli([...args, ...(command === 'top' ? ['--frames', '1'] : [])], {
      env: { REDIS_URL: url },
    })
    expect({ failed: exitCode === 2, stderr }).toEqual({ failed: false, stderr: '' })
  })
})
