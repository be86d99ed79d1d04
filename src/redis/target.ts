import { Redis, type Cluster, type RedisOptions } from 'ioredis'
import { LeaseholdError } from '../core/errors.ts'

/** What `redisStore` takes: a URL, a client of the application, or ioredis options. Left out: `127.0.0.1:6379`. */
export type RedisTarget = string | URL | Redis | Cluster | RedisOptions | undefined

/** A client that is only ever duplicated. */
export type Target = (
  | { readonly kind: 'single'; readonly client: Redis }
  | { readonly kind: 'cluster'; readonly client: Cluster }
) & { readonly keyPrefix: string; readonly database: number }

const defaultUrl = 'redis://127.0.0.1:6379'
const maxPort = 65_535

/** Does no I/O. @throws LeaseholdError `INVALID_OPTION` */
export function resolveTarget(target: RedisTarget): Target {
  if (target === undefined || typeof target === 'string') return single(fromUrl(target ?? defaultUrl))
  if (target instanceof URL) return single(fromUrl(target.href))
  if (typeof target !== 'object' || target === null || Array.isArray(target))
    throw invalid('is neither a URL, a client nor an object of options')
  if (!('duplicate' in target)) return single(fromOptions(target))
  if (typeof target.duplicate !== 'function' || !('options' in target)) throw invalid('is not an ioredis client')
  if (!target.isCluster) return single(target as Redis)
  const client = target as Cluster
  const keyPrefix = client.options.keyPrefix ?? client.options.redisOptions?.keyPrefix ?? ''
  return { kind: 'cluster', client, keyPrefix: keyPrefix, database: 0 }
}

function single(client: Redis): Target {
  const { keyPrefix, db, port } = client.options
  // ioredis would go on with database 0, and reject where nobody listens.
  if (!isWhole(db ?? 0, 0, Infinity)) throw invalid('has a database (db) that is not a whole number from 0')
  if (!isWhole(port ?? 1, 1, maxPort)) throw invalid(`has a port that is not a whole number from 1 to ${maxPort}`)
  return { kind: 'single', client, keyPrefix: keyPrefix ?? '', database: db ?? 0 }
}

/** No part of the URL is repeated in an error: where it cannot be read, any part may be one of the password. */
function fromUrl(text: string): Redis {
  if (!/^rediss?:\/\/./.test(text)) throw invalid('is a string but no redis:// or rediss:// URL')
  const encode = 'percent-encode special characters in the user name and the password: # is %23, / is %2F, ? is %3F, % is %25'
  let url: URL
  try {
    url = new URL(text)
    decodeURIComponent(url.username)
    decodeURIComponent(url.password)
  } catch (error) {
    if (error instanceof URIError) throw invalid(`is a URL with a % that begins no percent-encoding; ${encode}`)
    throw invalid(`is a URL that cannot be read; check its host and its port (1 to ${maxPort}), and ${encode}`)
  }
  if (url.hash !== '') throw invalid(`is a URL with a #; ${encode}`)
  if (!/^\/?\d*$/.test(url.pathname)) throw invalid(`is a URL whose path is not the number of a database; ${encode}`)
  const parameters = Object.fromEntries(url.searchParams)
  if (unknownNames(parameters).length > 0)
    throw invalid(`is a URL with parameters after its ? that ioredis does not know; ${encode}`)
  checkNumbers(parameters)
  try {
    return new Redis(text, { lazyConnect: true })
  } catch {
    throw invalid('is a URL with parameters after its ? that ioredis refuses')
  }
}

function fromOptions(options: RedisOptions): Redis {
  // A Date or a Promise has no options, and would stand for the default server.
  if (Object.prototype.toString.call(options) !== '[object Object]')
    throw invalid('is neither a URL, a client nor an object of options')
  checkTexts(options)
  if (options.host?.includes('://') === true) throw invalid('has a host that is a URL; give the URL itself')
  checkNumbers(options)
  checkSentinels(options)
  if ('database' in options) throw invalid('has an option database, which ioredis calls db')
  const unknown = unknownNames(options)
  if (!namesServer(options) && unknown.length > 0)
    throw invalid(`names no server, but options that ioredis does not know: ${unknown.join(', ')}`)
  return new Redis({ ...options, lazyConnect: true, replyMapping: 'legacy' })
}

const texts = ['host', 'path', 'keyPrefix', 'name'] as const satisfies (keyof RedisOptions)[]

function checkTexts(options: RedisOptions): void {
  for (const name of texts) {
    const value: unknown = options[name]
    if (value !== undefined && value !== null && typeof value !== 'string') throw invalid(`has a ${name} that is no text`)
  }
}

function checkSentinels({ sentinels, name }: { sentinels?: unknown; name?: unknown }): void {
  if (sentinels === undefined || sentinels === null) return
  if (!Array.isArray(sentinels) || sentinels.length === 0 || sentinels.some(each => typeof each !== 'object' || each === null))
    throw invalid('has sentinels that are no list of at least one { host, port }')
  if (name === undefined || name === null || name === '')
    throw invalid('has sentinels but no name: the one of the primary, as sentinel monitor says it')
}

/** Of text ioredis would read the leading digits. */
function checkNumbers({ port, db }: { port?: unknown; db?: unknown }): void {
  for (const [name, value] of Object.entries({ port, db }))
    if (typeof value === 'string' && !/^\d+$/.test(value)) throw invalid(`has a ${name} that is no number`)
}

/** Options that ioredis has no defaults for. */
const withoutDefault: ReadonlySet<string> = new Set<keyof RedisOptions>([
  'Connector',
  'blockingTimeout',
  'commandQueue',
  'commandTimeout',
  'himportFieldsets',
  'monitor',
  'offlineQueue',
  'path',
  'preferredSlaves',
  'scripts',
  'sentinelCommandTimeout',
  'sentinelPassword',
  'sentinelTLS',
  'sentinelUsername',
  'showFriendlyErrorStack',
  'socketTimeout',
  'tls',
])

function unknownNames(options: object): string[] {
  const { options: defaults } = new Redis({ lazyConnect: true })
  return Object.keys(options).filter(name => !(name in defaults) && !withoutDefault.has(name))
}

/** Then options that only a later ioredis knows are let through. */
function namesServer({ host, path, sentinels, Connector }: RedisOptions): boolean {
  return [host, path, sentinels, Connector].some(server => server !== undefined && server !== null)
}

function isWhole(value: unknown, from: number, to: number): boolean {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to
}

function invalid(what: string): LeaseholdError {
  return new LeaseholdError('INVALID_OPTION', `redisStore: its argument ${what}`, { option: 'store' })
}
