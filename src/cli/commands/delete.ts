import { replyCode } from '../../redis/failures.ts'
import { Keys } from '../../redis/keys.ts'
import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { type Deployment, withDeployment } from '../deployment.ts'
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
    const present = await countPresent(deployment, namespace, keys, version)
    await writeThrough(deployment, namespace, cache => cache.delete(keys, { version }))
    const known = present === undefined || present === keys.length ? '' : ` (${entriesThere(present)})`
    console.line(
      `deleted ${plural(keys.length, 'key')} in ${namespace}${known}: loads of them that were running will not be stored`,
    )
    return exitCodes.fine
  })
}

function entriesThere(present: number): string {
  if (present === 0) return 'there was no entry'
  return present === 1 ? '1 entry was there' : `${present} entries were there`
}

const maxKeyBytes = 512
/** What PTTL says of a key that is not there. */
const gone = -2

/** How many of the keys have an entry that will go, of this version or of one next to it; undefined where the user may not ask. */
async function countPresent(
  deployment: Deployment,
  namespace: string,
  names: readonly string[],
  version: number,
): Promise<number | undefined> {
  const keys = new Keys(namespace, deployment.keyPrefix, deployment.database, maxKeyBytes)
  let present = 0
  try {
    for (const key of new Set(names)) {
      // Leases stand between the entries.
      const entries = keys.family({ key, version }).filter((_, at) => at % 2 === 0)
      const slot = keys.slot({ key, version })
      const kept = await Promise.all(entries.map(entry => deployment.ask(slot, redis => redis.pttl(entry))))
      if (kept.some(keptMs => keptMs !== gone)) present++
    }
    return present
  } catch (error) {
    if (replyCode(error) === '') throw error
    return undefined
  }
}
