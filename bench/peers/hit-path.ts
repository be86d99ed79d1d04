import { Redis } from 'ioredis'
import { median } from '../measurement.ts'
import { payloads } from '../payloads.ts'
import { playRound, type Round } from '../round.ts'
import { allPeers } from './all-peers.ts'
import type { PeerCache } from './peer.ts'

const keyCount = 256
const warmUpRounds = 2

/** Hits beside `getBuffer` of the same values as JSON, the contenders taking turns. */
export async function benchHitPath(redisUrl: string, rounds: number): Promise<string[][]> {
  const rows: string[][] = []
  const raw = new Redis(redisUrl)
  try {
    for (const [payload, make] of Object.entries(payloads))
      rows.push(...(await benchPayload(redisUrl, raw, payload, make, rounds)))
  } finally {
    raw.disconnect()
  }
  return rows
}

async function benchPayload(
  redisUrl: string,
  raw: Redis,
  payload: string,
  make: (index: number) => unknown,
  rounds: number,
): Promise<string[][]> {
  const prefix = `peers-${process.pid}-${payload.replace(' ', '')}`
  const load = (id: string): Promise<unknown> => Promise.resolve(make(Number(id)))
  const caches: PeerCache[] = []
  try {
    for (const [index, peer] of allPeers.entries())
      caches.push(await peer.open({ redisUrl, prefix: `${prefix}-${index}`, ttlMs: 3_600_000, load }))
    const ids = Array.from({ length: keyCount }, (_, index) => String(index))
    for (const id of ids) {
      await raw.set(`${prefix}:${id}`, JSON.stringify(make(Number(id))))
      for (const cache of caches) await cache.read(id)
    }
    const reads = [
      (index: number): Promise<unknown> => raw.getBuffer(`${prefix}:${index}`),
      ...caches.map(cache => (index: number) => cache.read(ids[index] ?? '')),
    ]
    const taken = await inTurns(reads, rounds)
    return ['ioredis getBuffer (control)', ...allPeers.map(peer => peer.title)].map((title, index) => {
      const own = taken[index] ?? []
      const ratio = median(own.map(({ perSecond }, round) => perSecond / (taken[0]?.[round]?.perSecond ?? Number.NaN)))
      const tier = index > 0 && allPeers[index - 1]?.localTier === true ? 'memory' : 'Redis'
      return [payload, title, tier, ratio.toFixed(2), median(own.map(({ cpuUs }) => cpuUs)).toFixed(1)]
    })
  } finally {
    await Promise.all(caches.map(cache => cache.close()))
  }
}

async function inTurns(reads: readonly ((index: number) => Promise<unknown>)[], rounds: number): Promise<Round[][]> {
  const taken = reads.map((): Round[] => [])
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const [index, read] of reads.entries()) {
      const result = await playRound(read, keyCount, 64)
      if (round >= 0) taken[index]?.push(result)
    }
  }
  return taken
}
