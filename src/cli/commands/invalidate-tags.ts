import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { withDeployment } from '../deployment.ts'
import { plural } from '../quantities.ts'
import { writeThrough } from '../through-cache.ts'
import { isUnused } from '../unused-namespace.ts'

export interface InvalidateTagsOptions {
  readonly url: string
  readonly namespace: string
  readonly tags: readonly string[]
}

/** Invalidates tags as an application does: one command, however many entries have them. @returns 1 when nothing is there */
export async function invalidateTags(console: Console, { url, namespace, tags }: InvalidateTagsOptions): Promise<number> {
  return withDeployment(url, async deployment => {
    if (await isUnused(deployment, namespace)) {
      console.line(`nothing was invalidated: there is no key in ${deployment.keyPrefix}${namespace} on ${deployment.label}`)
      return exitCodes.found
    }
    await writeThrough(deployment, namespace, cache => cache.invalidateTags(tags))
    console.line(
      `invalidated ${plural(tags.length, 'tag')} in ${namespace}: what was stored with them, or is being loaded, is no answer any more`,
    )
    return exitCodes.fine
  })
}
