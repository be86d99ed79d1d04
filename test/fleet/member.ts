import { fileURLToPath } from 'node:url'
import { Child } from './child.ts'
import type { Commands, LoadNotice } from './messages.ts'

/** One process of a fleet, as its parent sees it. */
export type Member = Child<Commands, LoadNotice>

const script = fileURLToPath(new URL('worker.ts', import.meta.url))

export async function startMember(index: number, onLoad: (member: Member, notice: LoadNotice) => void): Promise<Member> {
  const member: Member = await Child.start<Commands, LoadNotice>({
    name: `member ${index}`,
    script,
    onNotice: notice => onLoad(member, notice),
  })
  return member
}
