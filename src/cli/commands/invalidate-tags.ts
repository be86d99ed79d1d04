import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { withDeployment } from '../deployment.ts'
import { plural } from '../quantities.ts'
import { writeThrough } from '../through-cache.ts'

export interface InvalidateTagsOptions {
  readonly url: string
  readonly namespace: string
  readonly tags: readonly string[]
}

/** Invalidates tags as an application does: one command, however many entries have them. */
export async function invalidateTags(console: Console, { url, namespace, tags }: InvalidateTagsOptions): Promise<number> {
  return withDeployment(url, async deployment => {
    await writeThrough(deployment, namespace, cache => cache.invalidateTags(tags))
    console.line(
      `invalidated ${plural(tags.length, 'tag')} in ${namespace}: what was stored with them, or is being loaded, is no answer any more`,
    )
    return exitCodes.fine
  })
}
