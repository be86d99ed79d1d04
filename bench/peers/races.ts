import { setTimeout as sleep } from 'node:timers/promises'
import { allPeers } from './all-peers.ts'
import { type Member, withFleet } from './fleet.ts'

const loadMs = 300
const ttlMs = 60_000
/** For invalidations that travel by message. */
const patienceMs = 200

/** A load is under way, the row changes, the key is deleted, the load ends. Who still answers with the old row? */
export async function benchRaces(redisUrl: string, keys: number): Promise<string[][]> {
  const rows: string[][] = []
  for (const peer of allPeers) {
    const row = [peer.title]
    for (const where of ['same', 'other'] as const) {
      row.push(
        await withFleet(peer, 2, { redisUrl, ttlMs, loadMs }, async members => {
          const stale = await race(
            members,
            where,
            Array.from({ length: keys }, (_, index) => `race-${index}`),
          )
          return `${stale} of ${2 * keys}`
        }),
      )
    }
    rows.push(row)
  }
  return rows
}

async function race(members: readonly Member[], where: 'same' | 'other', ids: readonly string[]): Promise<number> {
  const [loading, other] = members as [Member, Member]
  const each = (ask: (member: Member) => Promise<unknown>): Promise<unknown> => Promise.all(members.map(ask))
  await each(member => member.ask({ kind: 'source', version: 1 }))
  await loading.ask({ kind: 'begin', ids })
  await each(member => member.ask({ kind: 'source', version: 2 }))
  await (where === 'same' ? loading : other).ask({ kind: 'remove', ids })
  await loading.ask({ kind: 'settle' })
  await sleep(patienceMs)
  let stale = 0
  for (const member of members) {
    const reply = await member.ask({ kind: 'read', ids })
    if (reply.kind !== 'read') throw new Error(`expected versions, not ${reply.kind}`)
    stale += reply.versions.filter(version => version === 1).length
  }
  return stale
}
