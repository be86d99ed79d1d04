import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { openDeployment } from '../deployment.ts'
import { plural } from '../quantities.ts'
import { writeThrough } from '../write-through.ts'

export interface InvalidateTagsOptions {
  readonly url: string
  readonly namespace: string
  readonly tags: readonly string[]
}

/** Invalidates tags as an application does: one command, however many entries have them. */
export async function invalidateTags(console: Console, { url, namespace, tags }: InvalidateTagsOptions): Promise<number> {
  const deployment = await openDeployment(url)
  try {
    await writeThrough(deployment, namespace, cache => cache.invalidateTags(tags))
    console.line(
      `invalidated ${plural(tags.length, 'tag')} in ${namespace}: what was stored with them, or is being loaded, is no answer any more`,
    )
    return exitCodes.fine
  } finally {
    deployment.close()
  }
}
