import { setTimeout as passed } from 'node:timers/promises'
import { addCounts } from '../fleet/event-tally.ts'
import { checkHistory, type Findings } from './checker.ts'
import { History } from './history.ts'
import type { Tallies } from './messages.ts'
import { RecordingFleet } from './recording-fleet.ts'

export interface HistoryRun {
  readonly redisUrl: string
  readonly operations: number
  readonly processes: number
  readonly seed: number
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

/** Runs callers in several processes until they have made that many calls, and checks what they recorded. */
export async function runHistory({ redisUrl, operations, processes, seed, onProgress }: HistoryRun): Promise<HistoryResult> {
  // A busy machine must not turn answers of Redis into outage answers, which promise less.
  const options = { commandTimeout: '5s', storeBudget: '10s' } as const
  const fleet = await RecordingFleet.start({ processes, redisUrls: [redisUrl], options })
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
      await passed(progressEveryMs)
    }
    await fleet.stopTraffic()
    await addTallies()
    const tookMs = performance.now() - startedAt
    const history = new History()
    await fleet.collect(history)
    await fleet.close()
    return { findings: checkHistory(history), tookMs, ...tallies }
  } finally {
    await fleet.stop()
  }
}
