import { CliError, exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { withDeployment } from '../deployment.ts'
import { writeThrough } from '../through-cache.ts'
import { isUnused } from '../unused-namespace.ts'

export interface ClearOptions {
  readonly url: string
  readonly namespace: string
  /** Do not ask. */
  readonly yes: boolean
}

/** Clears a namespace as an application does, after asking. @returns 1 when the answer is no, or nothing is there */
export async function clear(console: Console, { url, namespace, yes }: ClearOptions): Promise<number> {
  return withDeployment(url, async deployment => {
    const { label, keyPrefix } = deployment
    if (await isUnused(deployment, namespace)) {
      console.line(`nothing was cleared: there is no key in ${keyPrefix}${namespace} on ${label}`)
      return exitCodes.found
    }
    const agreed = yes || (await console.confirm(`Clear everything in ${keyPrefix}${namespace} on ${label}?`))
    if (agreed === undefined) throw new CliError('clear asks first, and nobody is at a terminal to answer: say --yes')
    if (!agreed) {
      console.line('nothing was cleared')
      return exitCodes.found
    }
    await writeThrough(deployment, namespace, cache => cache.clear())
    console.line(`cleared ${keyPrefix}${namespace}: what it holds is no answer any more, and leaves Redis as its time comes`)
    return exitCodes.fine
  })
}
