import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis, type RedisServer } from '../../scripts/start-redis.ts'
import { allPeers } from './all-peers.ts'
import { withFleet } from './fleet.ts'
import type { TrafficAccount } from './messages.ts'
import type { Peer } from './peer.ts'

export type Outage = 'hung' | 'gone'

export interface OutageSize {
  readonly perSecond: number
  readonly beforeMs: number
  readonly outageMs: number
  readonly afterMs: number
}

const loadMs = 20
/** So short that copies in memory run out during the outage. */
const ttlMs = 1000
const keys = 20
const patienceMs = 10_000

/** Calls go on while Redis hangs (SIGSTOP) or is gone (killed, started again empty). */
export async function benchOutages(outage: Outage, size: OutageSize): Promise<string[][]> {
  const rows: string[][] = []
  for (const peer of allPeers) {
    const { calls, failed, unanswered, p99Ms, longestMs, loads, firstFailure } = await sufferOutage(peer, outage, size)
    const failure = (firstFailure ?? '').slice(0, 48)
    rows.push([
      peer.title,
      String(calls),
      String(failed),
      String(unanswered),
      p99Ms.toFixed(0),
      longestMs.toFixed(0),
      String(loads),
      failure,
    ])
  }
  return rows
}

async function sufferOutage(peer: Peer, outage: Outage, size: OutageSize): Promise<TrafficAccount> {
  let redis: RedisServer = await startRedis()
  const { port, url } = redis
  try {
    return await withFleet(peer, 1, { redisUrl: url, ttlMs, loadMs }, async ([member]) => {
      if (member === undefined) throw new Error('no member')
      const forMs = size.beforeMs + size.outageMs + size.afterMs
      const traffic = member.ask({ kind: 'traffic', perSecond: size.perSecond, forMs, keys, patienceMs })
      await sleep(size.beforeMs)
      if (outage === 'hung') process.kill(redis.pid, 'SIGSTOP')
      else await redis.stop()
      await sleep(size.outageMs)
      if (outage === 'hung') process.kill(redis.pid, 'SIGCONT')
      else redis = await startRedis({ port })
      const reply = await traffic
      if (reply.kind !== 'traffic') throw new Error(`expected traffic, not ${reply.kind}`)
      return reply.account
    })
  } finally {
    await redis.stop()
  }
}
