import { Redis } from 'ioredis'
import type { RedisServer } from '../scripts/start-redis.ts'

/** What Redis did and held while a run was counted. */
export interface RedisAccount {
  /** As the server counts them: those that scripts run are among them. */
  readonly commands: number
  readonly cpuMs: number
  readonly usedBytes: number
  /** Of the allocator: 1 is none. */
  readonly fragmentation: number
}

interface Sample {
  readonly commands: number
  readonly cpuMs: number
  readonly usedBytes: number
  readonly fragmentation: number
}

const patienceMs = 10_000

/** Counts across a restart of the server. */
export class RedisFigures {
  #from: Sample | undefined
  #commands = 0
  #cpuMs = 0

  async empty(server: RedisServer): Promise<void> {
    await withClient(server, client => client.flushall())
  }

  async begin(server: RedisServer): Promise<void> {
    this.#commands = 0
    this.#cpuMs = 0
    await this.resume(server)
  }

  async resume(server: RedisServer): Promise<void> {
    this.#from = await sample(server)
  }

  /** The server is about to end. */
  async interrupt(server: RedisServer): Promise<Sample> {
    const now = await sample(server)
    this.#commands += now.commands - (this.#from?.commands ?? 0)
    this.#cpuMs += now.cpuMs - (this.#from?.cpuMs ?? 0)
    return now
  }

  async finish(server: RedisServer): Promise<RedisAccount> {
    const { usedBytes, fragmentation } = await this.interrupt(server)
    return { commands: this.#commands, cpuMs: this.#cpuMs, usedBytes, fragmentation }
  }
}

async function sample(server: RedisServer): Promise<Sample> {
  const info = await withClient(server, client => client.info('everything'))
  const number = (field: string): number => Number(new RegExp(`^${field}:(.*)$`, 'm').exec(info)?.[1] ?? Number.NaN)
  return {
    commands: number('total_commands_processed'),
    cpuMs: (number('used_cpu_user') + number('used_cpu_sys')) * 1000,
    usedBytes: number('used_memory'),
    fragmentation: number('allocator_frag_ratio'),
  }
}

async function withClient<T>({ url }: RedisServer, does: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { commandTimeout: patienceMs, maxRetriesPerRequest: 3 })
  client.on('error', () => {})
  try {
    return await does(client)
  } finally {
    client.disconnect()
  }
}
