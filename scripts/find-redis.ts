import { connect } from 'node:net'
import { type Env, installPackage, isDebian, onPath, run } from './programs.ts'

/** Where tests, demo and benchmarks get a Redis from. `advice` is one line that says what to install. */
export type FoundRedis =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'program'; readonly path: string; readonly version: string }
  | { readonly kind: 'none'; readonly advice: string }

/** The machine as far as finding a Redis goes. The defaults are the real one. */
export interface Machine {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly isRoot?: boolean
  readonly osReleaseFile?: string
  /** The file that forbids a Debian package to start its service. */
  readonly policyFile?: string
  /** Told before something slow begins. */
  readonly say?: (line: string) => void
}

const programs = ['redis-server', 'valkey-server']
const oldestRedis = 7
const install = 'install Redis 7 or later, or Valkey, so that redis-server or valkey-server is on PATH, or set REDIS_URL'

/** `REDIS_URL`, else a server program (see {@link findProgram}). */
export async function findRedis(machine: Machine = {}): Promise<FoundRedis> {
  const url = (machine.env ?? process.env)['REDIS_URL']
  if (url === undefined || url === '') return findProgram(machine)
  if (await answers(url)) return { kind: 'url', url }
  return { kind: 'none', advice: `No Redis answers at REDIS_URL (${withoutPassword(url)}): start it, or unset REDIS_URL.` }
}

/** `REDIS_SERVER`, else redis-server or valkey-server on PATH, else Debian's package, installed when we may. */
export async function findProgram(machine: Machine = {}): Promise<Extract<FoundRedis, { kind: 'program' | 'none' }>> {
  const env = machine.env ?? process.env
  const named = env['REDIS_SERVER']
  if (named !== undefined && named !== '') {
    return (await usable(named)) ?? { kind: 'none', advice: `REDIS_SERVER (${named}) is not a Redis 7 or later, or a Valkey.` }
  }
  const present = await findOnPath(env)
  if (present !== undefined) return present
  if (
    !(machine.isRoot ?? process.getuid?.() === 0) ||
    !(await isDebian(machine.osReleaseFile)) ||
    (await onPath('apt-get', env)).length === 0
  ) {
    return { kind: 'none', advice: `No Redis found: ${install}.` }
  }
  machine.say?.('No Redis found: installing redis-server with apt-get ...')
  const failure = await installPackage('redis-server', env, machine.policyFile)
  if (failure !== undefined)
    return { kind: 'none', advice: `No Redis found, and apt-get could not install one (${failure}): ${install}.` }
  return (await findOnPath(env)) ?? { kind: 'none', advice: `This system's redis-server package is too old: ${install}.` }
}

type Program = Extract<FoundRedis, { kind: 'program' }>

async function findOnPath(env: Env): Promise<Program | undefined> {
  for (const name of programs) {
    for (const path of await onPath(name, env)) {
      const found = await usable(path)
      if (found !== undefined) return found
    }
  }
  return undefined
}

async function usable(path: string): Promise<Program | undefined> {
  const { output } = await run(path, ['--version'])
  const version = / v=(\d+)\.[\d.]+/.exec(output)
  if (version === null) return undefined
  return Number(version[1]) >= oldestRedis ? { kind: 'program', path, version: version[0].slice(3) } : undefined
}

async function answers(url: string): Promise<boolean> {
  if (!URL.canParse(url)) return false
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) })
  return new Promise(resolve => {
    const end = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(3000, () => end(false))
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}
