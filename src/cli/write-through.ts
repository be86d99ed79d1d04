import { type Cache, createCache } from '../index.ts'
import { redisStore } from '../redis/index.ts'
import { CliError } from './cli-error.ts'
import type { Deployment } from './deployment.ts'

/**
 * Lets a cache of the namespace do one write, as in an application.
 *
 * @throws CliError when Redis was not told. What a cache then keeps to tell later would be lost with this process.
 */
export async function writeThrough(
  { storeTarget, label }: Deployment,
  namespace: string,
  write: (cache: Cache) => Promise<unknown>,
): Promise<void> {
  const cache = createCache({ namespace, store: redisStore(storeTarget), commandTimeout: '2s', storeBudget: '5s' })
  let outcome: unknown
  try {
    outcome = await write(cache)
  } finally {
    await cache.close()
  }
  if (outcome === 'deferred')
    throw new CliError(`${label}: Redis did not answer in time; nothing is known to have been done, so try again`)
}
