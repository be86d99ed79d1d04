import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDebian, onPath, run } from './programs.ts'

/** The servers that the tests run on, by the name that `npm run test:matrix -- --redis` takes. */
export const redisVersions = ['7.0', '8.0', 'valkey-8.1'] as const
export type RedisVersion = (typeof redisVersions)[number]

export type FoundVersion =
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'none'; readonly advice: string }

const packages: Readonly<Partial<Record<RedisVersion, { readonly release: string; readonly program: string }>>> = {
  '8.0': { release: 'trixie', program: 'redis-server' },
  'valkey-8.1': { release: 'trixie', program: 'valkey-server' },
}
/** What those servers are linked with, which the system may have in another version or not at all. */
const libraries = [
  'libc6',
  'libssl3t64',
  'libjemalloc2',
  'liblua5.1-0',
  'liblzf1',
  'libatomic1',
  'libsystemd0',
  'libhiredis1.1.0',
]
libraries.push('lua-bitop', 'lua-cjson', 'libgcc-s1', 'libstdc++6', 'zlib1g', 'libzstd1', 'libcap2', 'liblz4-1', 'liblzma5')
libraries.push('libgcrypt20', 'libgpg-error0')
const servers = ['valkey-server', 'valkey-tools', 'redis-server', 'redis-tools']
const loaders: Readonly<Record<string, string>> = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' }

/**
 * A server program of that version: one on PATH, else that of Debian's packages, unpacked into `folder` beside whatever is installed. Nothing is
 * installed.
 */
export async function findVersion(version: RedisVersion, folder: string): Promise<FoundVersion> {
  const present = await findOnPath(version)
  if (present !== undefined) return { kind: 'program', path: present }
  const wanted = packages[version]
  const advice = `No ${describeVersion(version)} found: put its server on PATH`
  if (wanted === undefined) return { kind: 'none', advice: `${advice}.` }
  const path = join(folder, 'bin', version)
  if (await isVersion(path, version)) return { kind: 'program', path }
  if (!(await isDebian()) || loaders[process.arch] === undefined) return { kind: 'none', advice: `${advice}.` }
  const failure = await unpack(folder, wanted.release).catch((error: unknown) => String(error))
  if (failure !== undefined) return { kind: 'none', advice: `${advice}, as Debian's could not be unpacked (${failure}).` }
  if (await isVersion(path, version)) return { kind: 'program', path }
  return { kind: 'none', advice: `${advice}; Debian ${wanted.release} has another one by now.` }
}

export function describeVersion(version: RedisVersion): string {
  return version.startsWith('valkey-') ? `Valkey ${version.slice('valkey-'.length)}` : `Redis ${version}`
}

async function findOnPath(version: RedisVersion): Promise<string | undefined> {
  for (const name of ['redis-server', 'valkey-server'])
    for (const path of await onPath(name, process.env)) if (await isVersion(path, version)) return path
  return undefined
}

async function isVersion(path: string, version: RedisVersion): Promise<boolean> {
  const { output } = await run(path, ['--version'])
  const found = /^(Redis|Valkey) server v=(\d+\.\d+)\./im.exec(output)
  if (found === null) return false
  return version === (found[1]?.toLowerCase() === 'valkey' ? `valkey-${found[2]}` : found[2])
}

/** Downloads the packages with lists and a cache of their own, and writes a starter for each server. Returns what went wrong, if anything. */
async function unpack(folder: string, release: string): Promise<string | undefined> {
  for (const part of ['lists/partial', 'cache/archives/partial', 'packages', 'root', 'bin'])
    await mkdir(join(folder, part), { recursive: true })
  const mirror = await mirrorOf()
  if (mirror === undefined) return 'apt has no mirror'
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg'
  await writeFile(join(folder, 'sources.list'), `deb [signed-by=${keys}] ${mirror} ${release} main\n`)
  const settings = [
    `Dir::Etc::sourcelist=${join(folder, 'sources.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::Lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'APT::Sandbox::User=root',
  ].flatMap(setting => ['-o', setting])
  const inFolder = ['-c', 'cd "$0" && exec "$@"', join(folder, 'packages'), 'apt-get', ...settings]
  for (const command of [['update'], ['download', ...servers, ...libraries]]) {
    const { code, output } = await run('sh', [...inFolder, '-q', ...command])
    if (code !== 0) return output.trim().split('\n').at(-1)?.slice(0, 200) ?? `apt-get ${command[0]} failed`
  }
  for (const name of await readdir(join(folder, 'packages')))
    if (name.endsWith('.deb')) await run('dpkg', ['-x', join(folder, 'packages', name), join(folder, 'root')])
  await Promise.all(Object.entries(packages).map(([version, { program }]) => writeStarter(folder, version, program)))
  return undefined
}

/** The server runs with the libraries that came with it. One program has several names, and goes by the one it is called by. */
async function writeStarter(folder: string, version: string, program: string): Promise<void> {
  const usr = join(folder, 'root', 'usr')
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const found = await readdir(join(usr, 'bin'))
  const file = found.includes(program) ? program : `${program.split('-')[0]}-check-rdb`
  const lib = join(usr, 'lib', `${machine}-linux-gnu`)
  const command = [join(lib, loaders[process.arch] ?? ''), '--argv0', program, '--library-path', lib, join(usr, 'bin', file)]
  const path = join(folder, 'bin', version)
  await writeFile(path, `#!/bin/sh\nexec ${command.map(part => `"${part}"`).join(' ')} "$@"\n`)
  await chmod(path, 0o755)
}

async function mirrorOf(): Promise<string | undefined> {
  const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '')
  const sources = await read('/etc/apt/sources.list.d/debian.sources')
  return /^URIs:\s*(\S+)/m.exec(sources)?.[1] ?? /^deb\s.*?(https?:\/\/\S+)/m.exec(await read('/etc/apt/sources.list'))?.[1]
}
