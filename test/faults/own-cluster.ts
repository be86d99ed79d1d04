import { setTimeout as passed } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { until } from '../fleet/until.ts'
import { startCluster, startRedis, type RedisCluster, type RedisServer } from '../redis-server.ts'

const keysPerMove = 100
const moveTimeoutMs = 5000

interface Node {
  readonly server: RedisServer
  readonly admin: Redis
  readonly id: string
}

export interface OwnClusterOptions {
  /** How many of the three primaries have a replica, from the first on. Default 1. */
  readonly replicas?: number
  /** After how long without an answer a server counts as lost. */
  readonly nodeTimeoutMs?: number
}

/** Three primaries, some of which have a replica. */
export class OwnCluster implements AsyncDisposable {
  readonly primaries: readonly Node[]
  /** In the order of their primaries. */
  readonly replicas: readonly Node[]
  readonly #cluster: RedisCluster
  /** What a server says of others' slots lags behind. */
  readonly #moved = new Map<number, Node>()

  private constructor(cluster: RedisCluster, primaries: readonly Node[], replicas: readonly Node[]) {
    this.#cluster = cluster
    this.primaries = primaries
    this.replicas = replicas
  }

  static async start({ replicas = 1, nodeTimeoutMs = 2000 }: OwnClusterOptions = {}): Promise<OwnCluster> {
    const args = ['--repl-diskless-sync-delay', '0', '--cluster-replica-validity-factor', '0']
    args.push('--cluster-node-timeout', String(nodeTimeoutMs))
    const cluster = await startCluster({ primaries: 3, args })
    const primaries = await Promise.all(cluster.nodes.map(nodeOf))
    const servers = await Promise.all(Array.from({ length: replicas }, () => startRedis({ cluster: true, args })))
    const made = new OwnCluster(cluster, primaries, await Promise.all(servers.map(nodeOf)))
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
    return (await this.owners())(slot)
  }

  /** Which primary is to serve which slot, as things stand. */
  async owners(): Promise<(slot: number) => Node> {
    const slots = (await this.primaries[1]?.admin.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
    return slot => {
      const moved = this.#moved.get(slot)
      if (moved !== undefined) return moved
      const id = slots.find(([from, to]) => slot >= from && slot <= to)?.[2][2]
      const owner = [...this.primaries, ...this.replicas].find(node => node.id === id)
      if (owner === undefined) throw new Error(`nobody owns slot ${slot}`)
      return owner
    }
  }

  /** Moves a slot with its keys, as an operator's tool does. `halfWayMs`: how long it is on its way with nothing moved yet. */
  async moveSlot(slot: number, from: Node, to: Node, halfWayMs = 0): Promise<void> {
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
    if (halfWayMs > 0) await passed(halfWayMs)
    for (;;) {
      const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, keysPerMove)) as string[]
      if (keys.length === 0) break
      await from.admin.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, moveTimeoutMs, 'KEYS', ...keys)
    }
    // Else it takes the slot under an older epoch than the one before has, and loses it again to a rumour: then nobody owns it.
    await until(() => knowsEpoch(to, from), 'the epoch of the owner to get about')
    // The new owner first, so that nobody is sent to one that does not know yet.
    for (const node of [to, from, ...this.primaries]) await node.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
    this.#moved.set(slot, to)
  }

  /** The first replica takes over. `orderly`: after its primary has handed over all it has; else at once, with what it has. */
  async promoteReplica(how: 'orderly' | 'at once'): Promise<void> {
    const replica = this.replicaOf(this.primaries[0])
    await replica.admin.call('CLUSTER', 'FAILOVER', ...(how === 'orderly' ? [] : ['TAKEOVER']))
    await this.promoted(replica)
  }

  async promoted(replica: Node): Promise<void> {
    await until(async () => (await roleOf(replica)) === 'master', 'the replica to be promoted')
  }

  /** From now on the primary's replica hears nothing of what it does. */
  async cutReplication(primary: Node | undefined = this.primaries[0]): Promise<void> {
    process.kill(this.replicaOf(primary).server.pid, 'SIGSTOP')
    await primary?.admin.call('CLIENT', 'KILL', 'TYPE', 'replica')
  }

  /** SIGKILL. Its replica hears again. */
  async killPrimary(primary: Node | undefined = this.primaries[0]): Promise<void> {
    await primary?.server.stop()
    process.kill(this.replicaOf(primary).server.pid, 'SIGCONT')
  }

  /** Resolves when the primary's replica has everything. */
  async replicated(primary: Node | undefined = this.primaries[0]): Promise<void> {
    await primary?.admin.call('WAIT', 1, 5000)
  }

  replicaOf(primary: Node | undefined): Node {
    const replica = this.replicas[this.primaries.findIndex(node => node === primary)]
    if (replica === undefined) throw new Error('it has no replica')
    return replica
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { admin } of [...this.primaries, ...this.replicas]) admin.disconnect()
    await Promise.all([this.#cluster.stop(), ...this.replicas.map(({ server }) => server.stop())])
  }

  async #attach(): Promise<void> {
    const [first] = this.primaries as [Node]
    const [, busPort] = (await first.admin.call('CONFIG', 'GET', 'cluster-port')) as [string, string]
    const everyone = [...this.primaries, ...this.replicas]
    for (const { admin } of this.replicas) await admin.call('CLUSTER', 'MEET', '127.0.0.1', first.server.port, busPort)
    const knownToAll = async (): Promise<boolean> => {
      const views = await Promise.all(everyone.map(node => node.admin.call('CLUSTER', 'NODES')))
      return views.every(view => everyone.every(node => String(view).includes(node.id)))
    }
    await until(knownToAll, 'the cluster to know the replicas')
    for (const [place, { admin, server }] of this.replicas.entries()) {
      await admin.call('CLUSTER', 'REPLICATE', this.primaries[place]?.id ?? '')
      const inStep = async (): Promise<boolean> => (await admin.info('replication')).includes('master_link_status:up')
      await until(inStep, `the replica on ${server.port}`)
    }
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

/** Whether `node` has heard of the configuration epoch that `other` has by now. */
async function knowsEpoch(node: Node, other: Node): Promise<boolean> {
  const [info, nodes] = (await Promise.all([other.admin.call('CLUSTER', 'INFO'), node.admin.call('CLUSTER', 'NODES')])) as [
    string,
    string,
  ]
  const line = nodes.split('\n').find(each => each.startsWith(other.id))
  return line !== undefined && line.split(' ')[6] === /cluster_my_epoch:(\d+)/.exec(info)?.[1]
}
