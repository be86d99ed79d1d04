import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { withDeployment } from '../deployment.ts'
import { plural } from '../quantities.ts'
import { writeThrough } from '../through-cache.ts'

export interface DeleteOptions {
  readonly url: string
  readonly namespace: string
  readonly version: number
  readonly keys: readonly string[]
}

/** Deletes as an application does: running loads are revoked, waiting calls woken. */
export async function deleteKeys(console: Console, { url, namespace, version, keys }: DeleteOptions): Promise<number> {
  return withDeployment(url, async deployment => {
    await writeThrough(deployment, namespace, cache => cache.delete(keys, { version }))
    console.line(`deleted ${plural(keys.length, 'key')} in ${namespace}: loads of them that were running will not be stored`)
    return exitCodes.fine
  })
}
