import { Redis } from 'ioredis'
import { type RedisServer, startRedis, type StartOptions } from '../scripts/start-redis.ts'

export { type RedisServer, startRedis } from '../scripts/start-redis.ts'

export interface RedisCluster {
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

export interface ClusterOptions extends Pick<StartOptions, 'args'> {
  readonly primaries: number
}

const slots = 16_384
const formDeadlineMs = 20_000

/** Starts primaries that share all slots evenly, and waits until every one of them knows it. */
export async function startCluster({ primaries, args = [] }: ClusterOptions): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: primaries }, () => startRedis({ cluster: true, args })))
  const stop = async () => void (await Promise.all(nodes.map(node => node.stop())))
  const clients = nodes.map(({ port }) => new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: 1 }))
  try {
    await form(clients, nodes)
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    for (const client of clients) client.disconnect()
  }
}

async function form(clients: readonly Redis[], nodes: readonly RedisServer[]): Promise<void> {
  for (const [index, client] of clients.entries()) {
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    const from = Math.floor((index * slots) / clients.length)
    const to = Math.floor(((index + 1) * slots) / clients.length) - 1
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
  }
  // Everyone meets everyone: gossip alone takes seconds.
  for (const [index, node] of nodes.entries()) {
    const [, busPort] = (await clients[index]!.call('CONFIG', 'GET', 'cluster-port')) as [string, string]
    const others = clients.filter((_, other) => other !== index)
    await Promise.all(others.map(other => other.call('CLUSTER', 'MEET', '127.0.0.1', node.port, busPort)))
  }
  const deadline = performance.now() + formDeadlineMs
  while (!(await Promise.all(clients.map(client => knowsAll(client, clients.length)))).every(Boolean)) {
    if (performance.now() > deadline) throw new Error('the cluster did not form in time')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function knowsAll(client: Redis, primaries: number): Promise<boolean> {
  const info = String(await client.call('CLUSTER', 'INFO'))
  const owners = (await client.call('CLUSTER', 'SLOTS')) as unknown[]
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_assigned:${slots}`) && owners.length === primaries
}
