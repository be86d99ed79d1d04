import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findRedis, type Machine } from '../../scripts/find-redis.ts'

let root = ''
let path = ''
const said: string[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'find-redis-'))
  path = join(root, 'bin')
  await mkdir(path)
  for (const tool of ['sh', 'cat', 'chmod']) await symlink(`/bin/${tool}`, join(path, tool))
  await writeFile(join(root, 'os-release'), 'ID=debian\n')
  said.length = 0
})
afterEach(() => rm(root, { recursive: true }))

const machine = (over: Machine = {}): Machine => ({
  env: { PATH: path },
  isRoot: true,
  osReleaseFile: join(root, 'os-release'),
  policyFile: join(root, 'policy-rc.d'),
  say: line => said.push(line),
  ...over,
})

async function program(name: string, script: string): Promise<string> {
  const file = join(path, name)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
  return file
}
const redisOf = (version: string) => `echo "Redis server v=${version} sha=0:0 malloc=libc bits=64"`

describe('finding a Redis', () => {
  it('takes REDIS_URL first, if something answers there', async () => {
    await program('redis-server', redisOf('7.2.4'))
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const url = `redis://:secret@127.0.0.1:${(server.address() as { port: number }).port}`
    expect(await findRedis(machine({ env: { PATH: path, REDIS_URL: url } }))).toEqual({ kind: 'url', url })
    await new Promise(resolve => server.close(resolve))
    const gone = await findRedis(machine({ env: { PATH: path, REDIS_URL: url } }))
    expect(gone).toEqual({ kind: 'none', advice: expect.stringMatching(/^No Redis answers at REDIS_URL \(redis:\/\/127[^@]*\)/) })
  })

  it('takes a program named by REDIS_SERVER', async () => {
    const file = await program('my-redis', redisOf('8.0.0'))
    const found = await findRedis(machine({ env: { PATH: path, REDIS_SERVER: file } }))
    expect(found).toEqual({ kind: 'program', path: file, version: '8.0.0' })
  })

  it.each([
    ['redis-server', redisOf('7.0.15')],
    ['valkey-server', 'echo "Valkey server v=8.1.1 sha=0:0"'],
  ])('takes %s on PATH', async (name, script) => {
    const file = await program(name, script)
    expect(await findRedis(machine())).toMatchObject({ kind: 'program', path: file })
    expect(said).toEqual([])
  })

  it('passes over a redis-server that is too old', async () => {
    await program('redis-server', redisOf('6.0.16'))
    const valkey = await program('valkey-server', 'echo "Valkey server v=8.1.1 sha=0:0"')
    expect(await findRedis(machine())).toMatchObject({ path: valkey })
  })

  it('installs the package, whose own service is kept from starting', async () => {
    await program(
      'apt-get',
      `echo "$@" >> ${root}/calls; cat ${root}/policy-rc.d >> ${root}/policy-seen
       [ "$1" = install ] && { echo '#!/bin/sh'; echo 'echo "Redis server v=7.0.15 sha=0"'; } > ${path}/redis-server && chmod 755 ${path}/redis-server; true`,
    )
    expect(await findRedis(machine())).toEqual({ kind: 'program', path: join(path, 'redis-server'), version: '7.0.15' })
    expect(said).toEqual([expect.stringContaining('apt-get')])
    expect(await readFile(join(root, 'calls'), 'utf8')).toBe('update\ninstall -y --no-install-recommends redis-server\n')
    expect(await readFile(join(root, 'policy-seen'), 'utf8')).toContain('exit 101')
    await expect(readFile(join(root, 'policy-rc.d'))).rejects.toThrow('ENOENT')
  })

  it.each<[string, Machine]>([
    ['not root', { isRoot: false }],
    ['no Debian', { osReleaseFile: '/dev/null' }],
  ])('says in one line what to install: %s', async (_, over) => {
    await program('apt-get', `echo "$@" > ${root}/calls`)
    const found = await findRedis(machine(over))
    expect(found).toEqual({ kind: 'none', advice: expect.stringMatching(/^No Redis found: install .*REDIS_URL\.$/) })
    await expect(readFile(join(root, 'calls'))).rejects.toThrow('ENOENT')
  })

  it('says in one line why an installation failed', async () => {
    await program('apt-get', 'echo "E: Unable to locate package redis-server" >&2; exit 100')
    const found = await findRedis(machine())
    expect(found).toEqual({ kind: 'none', advice: expect.stringMatching(/^.*Unable to locate package.*REDIS_URL\.$/) })
  })
})
