import { Redis } from 'ioredis'
import { until } from '../fleet/until.ts'
import { startCluster, startRedis, type RedisCluster, type RedisServer } from '../redis-server.ts'

const args = ['--repl-diskless-sync-delay', '0', '--cluster-replica-validity-factor', '0']
const keysPerMove = 100
const moveTimeoutMs = 5000

interface Node {
  readonly server: RedisServer
  readonly admin: Redis
  readonly id: string
}

/** Three primaries, the first of which has a replica. */
export class OwnCluster implements AsyncDisposable {
  readonly primaries: readonly Node[]
  readonly replica: Node
  readonly #cluster: RedisCluster

  private constructor(cluster: RedisCluster, primaries: readonly Node[], replica: Node) {
    this.#cluster = cluster
    this.primaries = primaries
    this.replica = replica
  }

  static async start(): Promise<OwnCluster> {
    const cluster = await startCluster({ primaries: 3, args })
    const primaries = await Promise.all(cluster.nodes.map(nodeOf))
    const replica = await nodeOf(await startRedis({ cluster: true, args }))
    const made = new OwnCluster(cluster, primaries, replica)
    try {
      await made.#attach()
      return made
    } catch (error) {
      await made[Symbol.asyncDispose]()
      throw error
    }
  }

  get urls(): readonly string[] {
    return this.#cluster.nodes.map(({ url }) => url)
  }

  /** The primary that is to serve the slot. */
  async ownerOf(slot: number): Promise<Node> {
    const slots = (await this.primaries[1]?.admin.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
    const id = slots.find(([from, to]) => slot >= from && slot <= to)?.[2][2]
    const owner = [...this.primaries, this.replica].find(node => node.id === id)
    if (owner === undefined) throw new Error(`nobody owns slot ${slot}`)
    return owner
  }

  /** Moves a slot with its keys, as an operator's tool does. */
  async moveSlot(slot: number, from: Node, to: Node): Promise<void> {
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
    for (;;) {
      const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, keysPerMove)) as string[]
      if (keys.length === 0) break
      await from.admin.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, moveTimeoutMs, 'KEYS', ...keys)
    }
    // The new owner first, so that nobody is sent to one that does not know yet.
    for (const node of [to, from, ...this.primaries]) await node.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
  }

  /** The replica takes over. `orderly`: after the primary has handed over all it has; else at once, with what it has. */
  async promoteReplica(how: 'orderly' | 'at once'): Promise<void> {
    await this.replica.admin.call('CLUSTER', 'FAILOVER', ...(how === 'orderly' ? [] : ['TAKEOVER']))
    await until(async () => (await roleOf(this.replica)) === 'master', 'the replica to be promoted')
  }

  /** From now on the replica hears nothing of what its primary does. */
  async cutReplication(): Promise<void> {
    process.kill(this.replica.server.pid, 'SIGSTOP')
    await this.primaries[0]?.admin.call('CLIENT', 'KILL', 'TYPE', 'replica')
  }

  async killPrimary(): Promise<void> {
    await this.primaries[0]?.server.stop()
    process.kill(this.replica.server.pid, 'SIGCONT')
  }

  /** Resolves when the replica has everything. */
  async replicated(): Promise<void> {
    await this.primaries[0]?.admin.call('WAIT', 1, 5000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { admin } of [...this.primaries, this.replica]) admin.disconnect()
    await Promise.all([this.#cluster.stop(), this.replica.server.stop()])
  }

  async #attach(): Promise<void> {
    const { admin, server } = this.replica
    const [primary] = this.primaries as [Node]
    const [, busPort] = (await primary.admin.call('CONFIG', 'GET', 'cluster-port')) as [string, string]
    await admin.call('CLUSTER', 'MEET', '127.0.0.1', primary.server.port, busPort)
    const everyone = [...this.primaries, this.replica]
    const knownToAll = async (): Promise<boolean> => {
      const views = await Promise.all(everyone.map(node => node.admin.call('CLUSTER', 'NODES')))
      return views.every(view => everyone.every(node => String(view).includes(node.id)))
    }
    await until(knownToAll, 'the cluster to know the replica')
    await admin.call('CLUSTER', 'REPLICATE', primary.id)
    await until(async () => (await admin.info('replication')).includes('master_link_status:up'), `the replica on ${server.port}`)
  }
}

async function nodeOf(server: RedisServer): Promise<Node> {
  const admin = new Redis(server.url)
  admin.on('error', () => {})
  return { server, admin, id: String(await admin.call('CLUSTER', 'MYID')) }
}

async function roleOf({ admin }: Node): Promise<string> {
  const [role] = (await admin.call('ROLE')) as [string]
  return role
}
