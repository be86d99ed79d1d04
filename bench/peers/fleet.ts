import { AskedChild } from '../../demo/asked-child.ts'
import { within } from '../../demo/bounds.ts'
import type { FromMember, ToMember } from './messages.ts'
import type { Peer } from './peer.ts'

export type Member = AskedChild<ToMember, FromMember>

interface Opening {
  readonly redisUrl: string
  readonly ttlMs: number
  readonly loadMs: number
}

const memberFile = new URL('member.ts', import.meta.url)
const longestAnswerMs = 60_000
let opened = 0

/** A few processes that share one Redis and one prefix, for as long as `use` takes. */
export async function withFleet<Result>(
  peer: Peer,
  processes: number,
  opening: Opening,
  use: (members: readonly Member[]) => Promise<Result>,
): Promise<Result> {
  const members = Array.from({ length: processes }, (): Member => new AskedChild<ToMember, FromMember>(memberFile))
  const prefix = `peers-${process.pid}-${++opened}`
  try {
    await Promise.all(members.map(member => member.ask({ kind: 'open', peer: peer.title, prefix, ...opening })))
    const result = await within(longestAnswerMs, peer.title, use(members))
    await within(longestAnswerMs, peer.title, Promise.all(members.map(member => member.ask({ kind: 'close' }))))
    return result
  } finally {
    await Promise.all(members.map(member => member.stop()))
  }
}
