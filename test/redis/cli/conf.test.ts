import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { renderConf } from '../../../src/cli/conf/render-conf.ts'
import { shipped, shippedFiles } from '../../../src/cli/conf/shipped.ts'
import type { Role } from '../../../src/cli/conf/target.ts'
import { runCli } from '../../cli-run.ts'
import { type RedisServer, startRedis } from '../../redis-server.ts'
import { diagnose } from './diagnosis.ts'

const folder = mkdtempSync(join(tmpdir(), 'leasehold-conf-'))
afterAll(() => rmSync(folder, { recursive: true }))

let server: RedisServer | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
})

/** Whether the server was built without what `activedefrag yes` needs, so that it was started without that line. */
let defragRefused = false
const withoutDefrag = /Active defragmentation cannot be enabled/

/** Starts a server with this configuration on a free port. Where the server was built without defragmentation, without that. */
async function boot(name: string, text: string): Promise<Redis> {
  const file = join(folder, `${name}.conf`)
  writeFileSync(file, text)
  try {
    server = await startRedis({ configFile: file })
  } catch (error) {
    if (!withoutDefrag.test(String(error))) throw error
    defragRefused = true
    writeFileSync(file, text.replace(/^activedefrag yes$/m, ''))
    server = await startRedis({ configFile: file })
  }
  return new Redis(server.url)
}

/** What the file sets, without what the test sets otherwise. */
function settingsOf(text: string): [name: string, value: string][] {
  const lines = text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#') && !/^(port|bind|activedefrag|client-output)/.test(line))
  return lines.map(line => {
    const space = line.indexOf(' ')
    return [line.slice(0, space), line.slice(space + 1)]
  })
}

const megabyte = 1024 ** 2
const spelled: Readonly<Record<string, (value: string) => string>> = {
  maxmemory: value => String(Number.parseInt(value, 10) * megabyte),
  'active-defrag-ignore-bytes': value => String(Number.parseInt(value, 10) * megabyte),
  'auto-aof-rewrite-min-size': value => String(Number.parseInt(value, 10) * megabyte),
  save: value => value.replaceAll('"', ''),
}

describe.each(['cache', 'queue'] as const)('leasehold conf --role %s', role => {
  const memory = ['--memory', '1gb', '--cores', '4', '--role', role]

  it('gives a real server every setting it names, and the doctor nothing to find', async () => {
    const { stdout, exitCode } = await runCli(['conf', ...memory, '--redis', '7.0'])
    expect(exitCode).toBe(0)
    const admin = await boot(role, stdout)
    const settings = settingsOf(stdout)
    expect(settings.length).toBeGreaterThan(20)
    for (const [name, value] of settings) {
      const [, taken] = (await admin.call('CONFIG', 'GET', name)) as [string, string]
      // Later servers take the setting, and do without.
      if (taken === undefined && outgrown.has(name)) continue
      expect(taken, name).toBe(spelled[name]?.(value) ?? value)
    }
    const [, defrag] = (await admin.call('CONFIG', 'GET', 'activedefrag')) as [string, string]
    expect(defrag).toBe(defragRefused ? 'no' : 'yes')
    const [, limits] = (await admin.call('CONFIG', 'GET', 'client-output-buffer-limit')) as [string, string]
    expect(limits).toBe('normal 67108864 33554432 30 slave 268435456 67108864 60 pubsub 33554432 8388608 60')
    admin.disconnect()
    const { bad, findings } = await diagnose(server!.url, ['--role', role, '--strict', '--namespace', 'app'])
    expect(bad).toEqual([])
    expect(findings.filter(({ state }) => state === 'unknown')).toEqual([])
  })

  it.each(['7.0', '7.2', '8.0', 'valkey-8.0'])('knows %s', async version => {
    const { stdout } = await runCli(['conf', ...memory, '--redis', version])
    expect(stdout.includes('\nio-threads-do-reads yes\n')).toBe(version.startsWith('7'))
    expect(stdout).toContain(`# ${version.startsWith('v') ? 'Valkey' : 'Redis'} ${version.replace('valkey-', '')} as a`)
  })

  it('is what ops/redis ships', async () => {
    expect(readFileSync(`ops/redis/${role}.conf`, 'utf8')).toBe(shippedFiles().get(`${role}.conf`))
    expect(renderConf(shipped[role])).toBe(shippedFiles().get(`${role}.conf`))
    const admin = await boot(`shipped-${role}`, renderConf(shipped[role]))
    admin.disconnect()
    const { bad } = await diagnose(server!.url, ['--role', role])
    expect(bad).toEqual([])
  })

  it('has a container of its own in docker-compose.yml, made for its file', () => {
    const text = shippedFiles().get('docker-compose.yml') ?? ''
    const own = new RegExp(`^  ${role}:\\n((?:    .*\\n)+)`, 'm').exec(text)?.[1] ?? ''
    const { memoryBytes, cores } = shipped[role]
    expect(own).toContain(`command: ['redis-server', '/etc/redis/${role}.conf', `)
    expect(own).toContain(`      - ./${role}.conf:/etc/redis/${role}.conf:ro\n`)
    expect(own).toContain(`mem_limit: ${memoryBytes / megabyte}m\n    cpus: ${cores}\n`)
    const published = [...own.matchAll(/ports: (.*)$/gm)].map(([, ports]) => ports)
    expect(published).toEqual([expect.stringMatching(/^\['127\.0\.0\.1:\d+:6379'\]$/)])
    const volumes = [...own.matchAll(/^ {6}- ([\w-]+):\//gm)].map(([, volume]) => volume)
    expect(volumes).toEqual(role === 'queue' ? ['queue-data'] : [])
    for (const volume of volumes) expect(text).toContain(`\nvolumes:\n  ${volume}:\n`)
  })

  it('gives a reason for every line', () => {
    const blocks = renderConf(shipped[role]).trim().split('\n\n')
    for (const block of blocks) expect(block).toMatch(/^#/)
  })
})

const outgrown: ReadonlySet<string> = new Set(['io-threads-do-reads', 'dynamic-hz'])

describe('leasehold conf', () => {
  const conf = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await runCli(['conf', '--role', 'cache', '--memory', '8gb', '--cores', '4', ...args])
    return stdout + stderr
  }

  it('gives a cache 75 % of the memory and a queue 70 %', async () => {
    expect(await conf()).toContain('\nmaxmemory 6144mb\n')
    expect(await conf('--role', 'queue')).toContain('\nmaxmemory 5734mb\n')
  })

  it.each([
    [1, 1],
    [3, 1],
    [4, 2],
    [6, 4],
    [8, 6],
    [32, 8],
  ])('on %i cores takes %i io-threads', async (cores, threads) => {
    expect(await conf('--cores', String(cores))).toContain(`\nio-threads ${threads}\n`)
  })

  it('says which command made it', async () => {
    const text = await conf('--eviction', 'lru', '--no-active-defrag', '--tls')
    const [, command] = /Made by: leasehold (.*?)\n\n/s.exec(text) ?? []
    const again = await runCli((command ?? '').replaceAll('\n# ', ' ').split(' '))
    expect(again.stdout).toBe(text)
    expect(text).toContain('\nmaxmemory-policy allkeys-lru\n')
    expect(text).toContain('\ntls-port 6379\n')
    expect(text).not.toContain('\nactivedefrag')
  })

  it('shows rights that a server accepts', async () => {
    const [, user] = /^# (user shop on .*)$/m.exec(await conf('--namespace', 'shop')) ?? []
    const admin = await boot('acl', renderConf({ ...shipped.cache, memoryBytes: 2 ** 30 }))
    const [, name, ...rules] = (user ?? '').split(' ')
    expect(await admin.call('ACL', 'SETUSER', name as string, ...rules)).toBe('OK')
    admin.disconnect()
    expect((await diagnose(server!.url, ['--user', 'shop', '--namespace', 'shop'])).of('rights').state).toBe('ok')
  })

  it.each([
    [['--memory', '8'], 'It must be a size'],
    [['--cores', '0'], 'It must be a whole number'],
    [['--memory', '99999999gb'], 'It must be a size from 64mb to 64tb'],
    [['--redis', '6.2'], 'It must be 7.0 or later'],
    [['--redis', '9.9'], 'the last ones known are 8.x and valkey-9.x'],
    [['--redis', 'valkey-10'], 'the last ones known are 8.x and valkey-9.x'],
    [['--role', 'both'], 'Allowed choices are cache, queue'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stderr, stdout } = await runCli(['conf', '--role', 'cache', '--memory', '8gb', '--cores', '4', ...args])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  it.each(['8.2', 'valkey-9.0'])('knows the version %s', async version => {
    expect(await conf('--redis', version)).toContain(`--redis ${version}`)
  })

  it('keeps ops/redis up to date', () => {
    const { status, stderr } = spawnSync('npx', ['tsx', 'scripts/generate-redis-conf.ts', '--check'], { encoding: 'utf8' })
    expect(stderr).not.toContain('is not what')
    expect(status).toBe(0)
  })

  it('is what the roles are for', () => {
    const roles: Role[] = ['cache', 'queue']
    expect(roles.map(role => /maxmemory-policy \S+/.exec(renderConf(shipped[role]))?.[0])).toEqual([
      'maxmemory-policy allkeys-lfu',
      'maxmemory-policy noeviction',
    ])
  })
})
