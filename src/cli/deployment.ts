import { Cluster, type Redis, type RedisOptions } from 'ioredis'
import { connectionFailure, replyCode } from '../redis/failures.ts'
import { type RedisTarget, resolveTarget } from '../redis/target.ts'
import { isLeaseholdError } from '../index.ts'
import { CliError } from './cli-error.ts'

const connectTimeoutMs = 5_000
const commandTimeoutMs = 10_000

/** A person waits for each command, so nothing is tried twice. */
const settings: RedisOptions & { replyMapping: 'legacy' } = {
  lazyConnect: true,
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  enableReadyCheck: false,
  autoResubscribe: false,
  connectTimeout: connectTimeoutMs,
  commandTimeout: commandTimeoutMs,
  connectionName: 'leasehold-cli',
  // Keys are spelled out, and sampled ones have their prefix already.
  keyPrefix: '',
  protocol: 2,
  replyMapping: 'legacy',
}

/** A Redis server, or the cluster that it is a node of. */
export interface Deployment {
  /** Host, port and database, without credentials. */
  readonly label: string
  readonly keyPrefix: string
  readonly database: number
  /** The server of the URL. */
  readonly node: Redis
  readonly clustered: boolean
  /** Every primary: that server, or those of its cluster. @throws CliError when the cluster cannot be read */
  primaries(): Promise<readonly Redis[]>
  /** For commands that name a key. */
  commands(): Promise<Redis | Cluster>
  /** What `redisStore` takes, key prefix included. */
  readonly storeTarget: RedisTarget
  /** One more connection to the same server, for a subscription. */
  another(): Promise<Redis>
  close(): void
}

/** @throws CliError that repeats no part of the URL but its host and port. */
export async function openDeployment(url: string): Promise<Deployment> {
  const target = targetOf(url)
  if (target.kind === 'cluster') throw new CliError('a URL names one server')
  const template = target.client
  const { host = '127.0.0.1', port = 6379 } = template.options
  const label = `${host}:${port}${target.database === 0 ? '' : ` database ${target.database}`}`
  const node = await connect(template, label)
  const clustered = await isClustered(node)
  const opened: (Redis | Cluster)[] = [node]
  let cluster: Promise<Cluster> | undefined

  function theCluster(): Promise<Cluster> {
    cluster ??= connectCluster(template, label).then(client => {
      opened.push(client)
      return client
    })
    return cluster
  }

  return {
    label,
    keyPrefix: target.keyPrefix,
    database: target.database,
    node,
    clustered,
    storeTarget: clustered ? clusterOf(template, target.keyPrefix) : template,
    primaries: async () => (clustered ? (await theCluster()).nodes('master') : [node]),
    commands: async () => (clustered ? theCluster() : node),
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
      error.message.replace(/^redisStore: its argument is a (URL|string)/, 'the URL is one').replace('one but no', 'no'),
    )
  }
}

async function connect(template: Redis, label: string): Promise<Redis> {
  const client = template.duplicate(settings)
  let fault: unknown
  client.on('error', (error: unknown) => (fault = error))
  try {
    await client.connect()
    await client.ping()
    // Looking at keys must not make them look popular. Servers before 7.2 cannot be told.
    await client.call('CLIENT', 'NO-TOUCH', 'ON').catch(() => {})
    if (fault === undefined) return client
  } catch (error) {
    // A refused user may well speak to the server; what it may not do shows later.
    if (replyCode(error) === 'NOPERM' && fault === undefined) return client
    fault ??= error
  }
  client.disconnect()
  throw new CliError(`${label}: ${connectionFailure(fault).message}`)
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
    slotsRefreshTimeout: connectTimeoutMs,
    keyPrefix,
    redisOptions: { ...settings, username, password, ...(tls === undefined ? {} : { tls }) },
  })
}

async function connectCluster(template: Redis, label: string): Promise<Cluster> {
  const client = clusterOf(template, '')
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch {
    client.disconnect()
    throw new CliError(`${label}: the cluster does not answer as a whole; "leasehold doctor" may tell why`)
  }
}
