import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startRedis } from '../scripts/start-redis.ts'

export interface Sentinel {
  readonly port: number
  knowsReplica(): Promise<boolean>
  /** Whether it tells those who ask that the primary is on this port: up to a second after it was promoted. */
  names(primaryPort: number): Promise<boolean>
  /** Makes it fail over now. */
  failover(): Promise<void>
  stop(): Promise<void>
}

/** Starts a Sentinel that watches one primary alone. */
export async function startSentinel(
  name: string,
  primaryPort: number,
  {
    downAfterMs = 500,
    password,
    port,
  }: { readonly downAfterMs?: number; readonly password?: string; readonly port?: number } = {},
): Promise<Sentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-sentinel-'))
  const configFile = join(folder, 'sentinel.conf')
  const lines = [
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} 1`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 5000`,
  ]
  if (password !== undefined) lines.push(`requirepass ${password}`)
  await writeFile(configFile, `${lines.join('\n')}\n`)
  const server = await startRedis({ configFile, args: ['--sentinel'], ...(port === undefined ? {} : { port }) })
  const client = new Redis({ host: '127.0.0.1', port: server.port, ...(password === undefined ? {} : { password }) })
  client.on('error', () => {})
  return {
    port: server.port,
    async knowsReplica() {
      return ((await client.call('SENTINEL', 'REPLICAS', name)) as unknown[]).length > 0
    },
    async names(newPort) {
      const address = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[] | null
      return address?.[1] === String(newPort)
    },
    async failover() {
      await client.call('SENTINEL', 'FAILOVER', name)
    },
    async stop() {
      client.disconnect()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
