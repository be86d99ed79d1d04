import { createCache } from '../../index.ts'
import { redisStore } from '../../redis/index.ts'
import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { openDeployment } from '../deployment.ts'
import { plural } from '../quantities.ts'

export interface DeleteOptions {
  readonly url: string
  readonly namespace: string
  readonly version: number
  readonly keys: readonly string[]
}

/** Deletes as an application does: running loads are revoked, waiting calls woken. */
export async function deleteKeys(console: Console, { url, namespace, version, keys }: DeleteOptions): Promise<number> {
  const deployment = await openDeployment(url)
  const cache = createCache({ namespace, store: redisStore(deployment.storeTarget), commandTimeout: '10s', storeBudget: '20s' })
  try {
    await cache.delete(keys, { version })
    console.line(`deleted ${plural(keys.length, 'key')} in ${namespace}: loads of them that were running will not be stored`)
    return exitCodes.fine
  } finally {
    await cache.close()
    deployment.close()
  }
}
