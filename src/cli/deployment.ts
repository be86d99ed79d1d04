import { Cluster, type Redis } from 'ioredis'
import { commandFailure, replyCode } from '../redis/failures.ts'
import { type RedisTarget, resolveTarget } from '../redis/target.ts'
import { isLeaseholdError } from '../index.ts'
import { CliError } from './cli-error.ts'
import { type Address, addressText, connect, isLoss, isSilence, settings } from './connect.ts'
import { readSlotOwners, type SlotOwner } from './slot-owners.ts'
import { followKey, type Send } from './while-slots-move.ts'

const slotsTimeoutMs = 5_000

/** A Redis server, or the cluster that it is a node of. */
export interface Deployment {
  /** Host, port and database, without credentials. */
  readonly label: string
  readonly keyPrefix: string
  readonly database: number
  /** The server of the URL. */
  readonly node: Redis
  readonly clustered: boolean
  /** Every primary: that server, or those of its cluster. */
  primaries(): Promise<Primaries>
  /** Gives one command to the server that holds a cluster slot, or the key while the slot moves. @throws CliError when it cannot be reached */
  ask<T>(slot: number, send: Send<T>): Promise<T>
  /** What `redisStore` takes, key prefix included. */
  readonly storeTarget: RedisTarget
  /** One more connection to the same server, for a subscription. */
  another(): Promise<Redis>
  close(): void
}

export interface Primaries {
  readonly reached: readonly Redis[]
  /** Of the others, which and why. */
  readonly missed: readonly string[]
}

/**
 * Opens what the URL names, for as long as `use` takes.
 *
 * @throws CliError that names the server when it does not answer, hangs up or refuses; no part of the URL is repeated but its host and port
 */
export async function withDeployment<T>(url: string, use: (deployment: Deployment) => Promise<T>): Promise<T> {
  const deployment = await openDeployment(url)
  try {
    return await use(deployment)
  } catch (error) {
    const what = failureOf(error)
    throw what === undefined ? error : new CliError(`${deployment.label}: ${what}`)
  } finally {
    deployment.close()
  }
}

/** Undefined for what is no failure of the server. */
function failureOf(error: unknown): string | undefined {
  if (error instanceof CliError) return undefined
  if (isSilence(error))
    return 'Redis stopped answering; is its process stopped, or busy with a slow command? leasehold doctor tells more once it answers'
  if (isLoss(error)) return 'the connection to Redis was lost; see that it runs and can be reached, and try again'
  if (replyCode(error) !== '') return commandFailure('a command', error).message
  return isLeaseholdError(error) && error.code.startsWith('STORE_') ? error.message : undefined
}

async function openDeployment(url: string): Promise<Deployment> {
  const target = targetOf(url)
  if (target.kind === 'cluster') throw new CliError('a URL names one server')
  const template = target.client
  const { host = '127.0.0.1', port = 6379 } = template.options
  const label = `${addressText({ host, port })}${target.database === 0 ? '' : ` database ${target.database}`}`
  const node = await connect(template, label)
  const clustered = await isClustered(node)
  const opened: Redis[] = [node]
  const connections = new Map<string, Promise<Redis>>()
  let owners: Promise<readonly SlotOwner[]> | undefined

  function slotOwners(): Promise<readonly SlotOwner[]> {
    owners ??= readSlotOwners(node)
    return owners
  }

  async function open(name: string, address: Address): Promise<Redis> {
    const client = await connect(template, name, { host: address.host, port: address.port })
    opened.push(client)
    return client
  }

  function connectionTo(address: Address): Promise<Redis> {
    const name = addressText(address)
    const connection = connections.get(name) ?? open(name, address)
    connections.set(name, connection)
    return connection
  }

  async function reachAll(): Promise<Primaries> {
    const outcomes = await Promise.allSettled((await slotOwners()).map(connectionTo))
    return {
      reached: outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
      missed: outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [(outcome.reason as Error).message] : [])),
    }
  }

  async function nodeOf(slot: number): Promise<Redis> {
    const owner = (await slotOwners()).find(each => each.serves(slot))
    if (owner === undefined) throw new CliError(`${label}: no node of the cluster serves slot ${slot}, where the key belongs`)
    return connectionTo(owner)
  }

  return {
    label,
    keyPrefix: target.keyPrefix,
    database: target.database,
    node,
    clustered,
    storeTarget: clustered ? clusterOf(template, target.keyPrefix) : template,
    primaries: async () => (clustered ? reachAll() : { reached: [node], missed: [] }),
    ask: async (slot, send) => (clustered ? followKey(await nodeOf(slot), connectionTo, send) : send(node)),
    another: async () => {
      const client = await connect(template, label)
      opened.push(client)
      return client
    },
    close: () => {
      for (const client of opened) client.disconnect()
    },
  }
}

/** The store's own error speaks of its argument. */
function targetOf(url: string): ReturnType<typeof resolveTarget> {
  try {
    return resolveTarget(url)
  } catch (error) {
    if (!isLeaseholdError(error)) throw error
    throw new CliError(
      error.message
        .replace(/^redisStore: its argument is a (URL|string)/, 'the URL is one')
        .replace('one but no', 'no')
        .replace(/^redisStore: its argument/, 'the URL'),
    )
  }
}

async function isClustered(node: Redis): Promise<boolean> {
  try {
    return /^cluster_enabled:1\r?$/m.test(await node.info('cluster'))
  } catch {
    return false
  }
}

/** Not connected yet. */
function clusterOf(template: Redis, keyPrefix: string): Cluster {
  const { host = '127.0.0.1', port = 6379, username, password, tls } = template.options
  return new Cluster([{ host, port }], {
    lazyConnect: true,
    scaleReads: 'master',
    clusterRetryStrategy: () => null,
    slotsRefreshTimeout: slotsTimeoutMs,
    keyPrefix,
    redisOptions: { ...settings, username, password, ...(tls === undefined ? {} : { tls }) },
  })
}
