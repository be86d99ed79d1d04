import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './find-redis.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** The server's own process, for tests that pause or kill it. */
  readonly pid: number
  /** Ends the server, paused or not, and removes its folder. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** A redis.conf. Port, address and folder are set otherwise; the rest, persistence included, is as it says. */
  readonly configFile?: string
  /** More of redis-server's arguments. */
  readonly args?: readonly string[]
  /** Start it as a cluster node that knows no other. */
  readonly cluster?: boolean
  /** For one that takes the place of a stopped one. Default: any free port. */
  readonly port?: number
  /** Default: what {@link findProgram} finds. */
  readonly program?: string
}

// The server takes the shell's place. Behind it a reader waits for our end of the pipe to close, which it does however we die.
const keeper = 'exec 3<&0; (read -r _ <&3; kill -KILL $$; rm -rf "$0") >/dev/null 2>&1 & exec 3<&-; exec "$@" </dev/null 2>&1'
const startDeadlineMs = 10_000
const attempts = 5

/** Starts a server of our own on a free port of the loopback interface, with nothing written to disk. */
export async function startRedis(options: StartOptions = {}): Promise<RedisServer> {
  const program = options.program ?? (await programOf())
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    try {
      return await startOn(port, program, options)
    } catch (error) {
      // Another process may have taken the port in between.
      if (attempt === attempts) throw error
    }
  }
}

async function programOf(): Promise<string> {
  const found = await findProgram({ isRoot: false })
  if (found.kind === 'none') throw new Error(found.advice)
  return found.path
}

async function startOn(port: number, program: string, options: StartOptions): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-redis-'))
  const { configFile } = options
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder]
  if (configFile === undefined) args.push('--save', '', '--appendonly', 'no')
  else args.unshift(configFile)
  if (options.cluster === true)
    args.push('--cluster-enabled', 'yes', '--cluster-port', await freePort(), '--cluster-node-timeout', 2000)
  const child = spawn('/bin/sh', ['-c', keeper, folder, program, ...args.map(String), ...(options.args ?? [])], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-500)))
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= end(child, folder))
  try {
    await ready(port, child)
  } catch (error) {
    await stop()
    throw new Error(`${program} did not start on port ${port}: ${said.trim()}`, { cause: error })
  }
  release(child)
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid!, stop }
}

/** A server that someone forgot to stop must not keep this process alive. */
function release(child: ChildProcess): void {
  child.unref()
  for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref()
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  child.ref()
  const exited = isAlive(child) ? once(child, 'exit') : undefined
  child.kill('SIGKILL')
  await exited
  child.stdin?.end()
  await rm(folder, { recursive: true, force: true })
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function ready(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + startDeadlineMs
  while (!(await pong(port))) {
    if (!isAlive(child)) throw new Error('it exited')
    if (performance.now() > deadline) throw new Error('no reply in time')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

function pong(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return new Promise(resolve => {
    const finish = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(1000, () => finish(false))
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', data => finish(/^(\+PONG|-NOAUTH|-DENIED)/.test(data.toString())))
    socket.once('error', () => finish(false))
  })
}

/** A port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
