import { setTimeout as passed } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { addCounts } from '../fleet/event-tally.ts'
import { checkHistory, type Findings } from './checker.ts'
import { History } from './history.ts'
import type { Tallies } from './messages.ts'
import { RecordingFleet, type RecordingFleetOptions } from './recording-fleet.ts'

export interface HistoryRun {
  readonly redisUrl: string
  readonly operations: number
  readonly processes: number
  readonly seed: number
  /** `trust`: processes answer from copies of their own. `validate`: values are so large that those remembered are vouched for by their headers. */
  readonly local?: 'trust' | 'validate'
  /** The connections that bring them changes are cut again and again. For a Redis that nobody else uses. */
  readonly cutsBus?: boolean
  readonly onProgress?: (made: number) => void
}

export interface HistoryResult extends Tallies {
  readonly findings: Findings
  readonly tookMs: number
}

/** Few keys, so that most of what is done to them overlaps. */
const historyKeys = 6
const callers = 24
/** Each of them revokes what is under way of several keys. */
const shares = { invalidateTags: 1.5, clear: 0.5 } as const
const progressEveryMs = 500
const copyTtlMs = 400
/** How long a bus that says nothing is trusted. */
const detectionMs = 3000
/** A process looks at its clock once in a turn of the event loop, and may be kept from its processor within one. */
const clockAllowanceMs = 250
/** What a copy may be behind another process: the promise, and what we cannot see of the clocks. */
const copiesBehindMs = Math.min(copyTtlMs, detectionMs) + clockAllowanceMs

function cachesOf(local: HistoryRun['local']): Pick<RecordingFleetOptions, 'options' | 'paddingBytes'> {
  // A busy machine must not turn answers of Redis into outage answers, which promise less.
  const options = { commandTimeout: '5s', storeBudget: '10s', values: local === undefined ? 'copy' : 'freeze' } as const
  if (local === 'trust') return { options: { ...options, local: { mode: local, ttl: copyTtlMs } } }
  if (local === 'validate')
    return { options: { ...options, local: { mode: local }, compressAbove: 1_000_000 }, paddingBytes: 10_000 }
  return { options }
}

/** Runs callers in several processes until they have made that many calls, and checks what they recorded. */
export async function runHistory({
  redisUrl,
  operations,
  processes,
  seed,
  local,
  cutsBus = false,
  onProgress,
}: HistoryRun): Promise<HistoryResult> {
  const fleet = await RecordingFleet.start({ processes, redisUrls: [redisUrl], ...cachesOf(local) })
  const redis = cutsBus ? new Redis(redisUrl) : undefined
  try {
    const startedAt = performance.now()
    await fleet.startTraffic({ seed, keys: historyKeys, callers, calls: Math.ceil(operations / processes), tagged: true, shares })
    const tallies = { events: {} as Record<string, number>, errors: {} as Record<string, number>, unhandled: [] as string[] }
    const addTallies = async (): Promise<void> => {
      const { events, errors, unhandled } = await fleet.tallies()
      addCounts(tallies.events, events)
      addCounts(tallies.errors, errors)
      tallies.unhandled.push(...unhandled)
    }
    for (let made = 0; made < operations; made = await fleet.made()) {
      onProgress?.(made)
      await redis?.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await passed(progressEveryMs)
    }
    await fleet.stopTraffic()
    await addTallies()
    const tookMs = performance.now() - startedAt
    const history = new History()
    await fleet.collect(history)
    await fleet.close()
    return { findings: checkHistory(history, 0, local === 'trust' ? copiesBehindMs : 0), tookMs, ...tallies }
  } finally {
    redis?.disconnect()
    await fleet.stop()
  }
}
