import { Redis, type Cluster, type RedisOptions } from 'ioredis'
import { LeaseholdError } from '../core/errors.ts'

/** What `redisStore` takes: a URL, a client of the application, or ioredis options. Left out: `127.0.0.1:6379`. */
export type RedisTarget = string | Redis | Cluster | RedisOptions | undefined

/** A client that is only ever duplicated. */
export type Target = (
  | { readonly kind: 'single'; readonly client: Redis }
  | { readonly kind: 'cluster'; readonly client: Cluster }
) & { readonly keyPrefix: string; readonly database: number }

const defaultUrl = 'redis://127.0.0.1:6379'

/** Does no I/O. @throws LeaseholdError `INVALID_OPTION` */
export function resolveTarget(target: RedisTarget): Target {
  if (target === undefined || typeof target === 'string') return single(fromUrl(target ?? defaultUrl))
  if (typeof target !== 'object' || target === null) throw invalid('is neither a URL, a client nor an object of options')
  if (!('duplicate' in target)) {
    const options = { ...target, lazyConnect: true, replyMapping: 'legacy' } as const
    return single(new Redis(options))
  }
  if (typeof target.duplicate !== 'function' || !('options' in target)) throw invalid('is not an ioredis client')
  if (!target.isCluster) return single(target as Redis)
  const client = target as Cluster
  const keyPrefix = client.options.keyPrefix ?? client.options.redisOptions?.keyPrefix ?? ''
  return { kind: 'cluster', client, keyPrefix: keyPrefix, database: 0 }
}

function single(client: Redis): Target {
  return { kind: 'single', client, keyPrefix: client.options.keyPrefix ?? '', database: client.options.db ?? 0 }
}

function fromUrl(url: string): Redis {
  // The URL is not repeated: it may hold a password.
  if (!/^rediss?:\/\/./.test(url)) throw invalid('is a string but no redis:// or rediss:// URL')
  return new Redis(url, { lazyConnect: true })
}

function invalid(what: string): LeaseholdError {
  return new LeaseholdError('INVALID_OPTION', `redisStore: its argument ${what}`, { option: 'store' })
}
