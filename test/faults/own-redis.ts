import { setTimeout as passed } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startRedis, type RedisServer } from '../redis-server.ts'

/** A Redis of our own that can be killed, paused, filled and made to forget, and that always comes back on the same port. */
export class OwnRedis {
  readonly port: number
  readonly #args: readonly string[]
  #server: RedisServer
  #paused = false

  private constructor(server: RedisServer, args: readonly string[]) {
    this.#server = server
    this.port = server.port
    this.#args = args
  }

  static async start(args: readonly string[] = []): Promise<OwnRedis> {
    return new OwnRedis(await startRedis({ args }), args)
  }

  get url(): string {
    return this.#server.url
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#server.stop()
  }

  /** Starts an empty one in its place. Resolves when it answers. */
  async restart(): Promise<void> {
    this.#server = await startRedis({ args: this.#args, port: this.port })
    this.#paused = false
  }

  /** SIGSTOP. */
  pause(): void {
    process.kill(this.#server.pid, 'SIGSTOP')
    this.#paused = true
  }

  /** SIGCONT. */
  resume(): void {
    if (this.#paused) process.kill(this.#server.pid, 'SIGCONT')
    this.#paused = false
  }

  /** Sends one command after the other on a connection of its own. */
  async command(...commands: readonly (readonly [string, ...(string | number)[]])[]): Promise<unknown[]> {
    const client = new Redis(this.url, { maxRetriesPerRequest: 2 })
    client.on('error', () => {})
    try {
      const replies: unknown[] = []
      for (const [name, ...args] of commands) replies.push(await client.call(name, ...args))
      return replies
    } finally {
      client.disconnect()
    }
  }

  /** Repeats a command for a while. */
  async repeat(command: readonly [string, ...string[]], everyMs: number, forMs: number): Promise<number> {
    const client = new Redis(this.url)
    client.on('error', () => {})
    try {
      const until = performance.now() + forMs
      let times = 0
      for (; performance.now() < until; times++) {
        await client.call(...command)
        await passed(everyMs)
      }
      return times
    } finally {
      client.disconnect()
    }
  }

  /** A number out of INFO. */
  async info(field: string): Promise<number> {
    const [info] = await this.command(['INFO', 'everything'])
    return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(String(info))?.[1])
  }

  /** Leaves no memory for more than what is stored now. */
  async fill(policy: string): Promise<void> {
    const used = await this.info('used_memory')
    await this.command(['CONFIG', 'SET', 'maxmemory-policy', policy, 'maxmemory', used])
  }

  async drain(): Promise<void> {
    await this.command(['CONFIG', 'SET', 'maxmemory', 0])
  }

  async stop(): Promise<void> {
    await this.#server.stop()
  }
}
