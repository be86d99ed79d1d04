import { sharedNow } from '../../demo/shared-clock.ts'
import { allPeers } from './all-peers.ts'
import { withFleet } from './fleet.ts'

export interface StampedeSize {
  readonly processes: number
  readonly callers: number
  readonly keys: number
  readonly loadMs: number
}

const startDelayMs = 100

/** Many callers in several processes ask for a cold key at one moment. */
export async function benchStampedes(redisUrl: string, { processes, callers, keys, loadMs }: StampedeSize): Promise<string[][]> {
  const rows: string[][] = []
  for (const peer of allPeers) {
    const row = await withFleet(peer, processes, { redisUrl, ttlMs: 60_000, loadMs }, async members => {
      const loads: number[] = []
      const excessMs: number[] = []
      for (let key = 0; key < keys; key++) {
        const startAt = sharedNow() + startDelayMs
        const replies = await Promise.all(
          members.map(member => member.ask({ kind: 'stampede', id: `cold-${key}`, callers, startAt })),
        )
        let ofKey = 0
        for (const reply of replies) {
          if (reply.kind !== 'stampeded') throw new Error(`expected a stampede, not ${reply.kind}`)
          ofKey += reply.loads
          excessMs.push(...reply.tookMs.map(tookMs => tookMs - loadMs))
        }
        loads.push(ofKey)
      }
      return [peer.title, `${Math.min(...loads)}–${Math.max(...loads)}`, percentile(excessMs, 0.5), percentile(excessMs, 0.99)]
    })
    rows.push(row)
  }
  return rows
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(0)
}
