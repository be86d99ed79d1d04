import { type Cache, createCache, type StoreErrorCode } from '../index.ts'
import { redisStore } from '../redis/index.ts'
import { CliError } from './cli-error.ts'
import type { Deployment } from './deployment.ts'

export interface Told<T> {
  readonly result: T
  /** Why Redis was not told, or did not keep a value, if the cache knows. */
  readonly reason: string | undefined
}

/** Lets a cache of the namespace do something, as in an application. */
export async function throughCache<T>(
  { storeTarget }: Deployment,
  namespace: string,
  use: (cache: Cache) => Promise<T>,
): Promise<Told<T>> {
  const cache = createCache({ namespace, store: redisStore(storeTarget), commandTimeout: '2s', storeBudget: '5s' })
  let reason: string | undefined
  cache.on('store-error', ({ code, error }) => (reason ??= reasonOf(code, error)))
  cache.on('set', ({ outcome }) => {
    if (outcome === 'full')
      reason ??= 'Redis is out of memory: maxmemory is reached, and its policy evicts nothing, so the value was not stored'
  })
  try {
    return { result: await use(cache), reason }
  } finally {
    await cache.close()
  }
}

/**
 * Lets a cache of the namespace do one write.
 *
 * @throws CliError when Redis was not told. What a cache then keeps to tell later would be lost with this process.
 */
export async function writeThrough(
  deployment: Deployment,
  namespace: string,
  write: (cache: Cache) => Promise<unknown>,
): Promise<void> {
  const { result, reason = silence } = await throughCache(deployment, namespace, write)
  if (result !== 'deferred') return
  const advice = reason === replica ? 'name its primary' : 'try again'
  throw new CliError(`${deployment.label}: ${reason}; nothing is known to have been done, so ${advice}`)
}

export const silence = 'Redis did not answer in time'
const replica = 'this server is a replica, which takes no writes'

function reasonOf(code: StoreErrorCode, error: unknown): string {
  if (code === 'STORE_TIMEOUT' || !(error instanceof Error)) return silence
  return error.message === 'The Redis server is not a primary' ? replica : error.message
}
