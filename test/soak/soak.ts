import { setTimeout as passed } from 'node:timers/promises'
import { seededRandom } from '../../src/testing/index.ts'
import { OwnRedis } from '../faults/own-redis.ts'
import { addCounts } from '../fleet/event-tally.ts'
import { carryOver } from '../histories/carry-over.ts'
import { checkHistory, type Counts } from '../histories/checker.ts'
import { History } from '../histories/history.ts'
import { RecordingFleet, type RecordingProcess } from '../histories/recording-fleet.ts'
import type { TrafficPlan } from '../histories/traffic.ts'
import { makeFaults, processFaults, redisFaults, type FaultCounts } from './random-faults.ts'
import type { Sample } from './slope.ts'

export interface SoakPlan {
  readonly minutes: number
  readonly seed: number
  /** Called after each round. */
  readonly onRound?: (soak: Soaked) => void
}

/** What a process used at the end of each round, all calls being settled and the garbage collected. Times in minutes. */
export interface UsageSeries {
  readonly heapBytes: Sample[]
  readonly codeBytes: Sample[]
  readonly externalBytes: Sample[]
  /** Sockets, pipes and timers. */
  readonly resources: Sample[]
  /** The last kinds of them. */
  kinds: Readonly<Record<string, number>>
}

export interface Soaked {
  rounds: number
  minutes: number
  readonly faults: FaultCounts
  readonly counts: Counts
  readonly events: Record<string, number>
  readonly errors: Record<string, number>
  readonly violations: string[]
  /** What nobody handled, and calls that did not settle. */
  readonly failures: string[]
  /** Of the processes that were never killed. */
  readonly usage: readonly UsageSeries[]
}

const processes = 4
const steady = 2
const roundMs = 15_000
/** Connections that were lost last are back by then. */
const settleMs = 1_500

/** Rounds of traffic under random faults; after each, everything must settle, the history is checked and the memory measured. */
export async function soak({ minutes, seed, onRound = () => {} }: SoakPlan): Promise<Soaked> {
  const plan: TrafficPlan = { seed, keys: 8, callers: 8, pauseMs: 15 }
  const redis = await OwnRedis.start()
  const fleet = await RecordingFleet.start({
    processes,
    redisUrls: [redis.url],
    options: { timeout: { hard: '5s' } },
    flags: ['--expose-gc'],
  })
  const result = nothingYet()
  const random = seededRandom(seed)
  const startedAt = performance.now()
  let known = new History()
  try {
    while (performance.now() - startedAt < minutes * 60_000) {
      await fleet.startTraffic({ ...plan, seed: seed + result.rounds })
      await Promise.all([
        makeFaults(redisFaults(redis), random, roundMs, result.faults),
        makeFaults(processFaults(fleet, steady, plan), random, roundMs, result.faults),
      ])
      await fleet.stopTraffic().catch((error: unknown) => result.failures.push(String(error)))
      await passed(settleMs)
      known = await check(fleet, known, result)
      result.minutes = (performance.now() - startedAt) / 60_000
      await Promise.all(result.usage.map((series, place) => measure(fleet.members[place], series, result.minutes)))
      result.rounds++
      onRound(result)
    }
    await fleet.close()
    return result
  } finally {
    await fleet.stop()
    await redis.stop()
  }
}

async function check(fleet: RecordingFleet, known: History, result: Soaked): Promise<History> {
  const first = known.size
  await fleet.collect(known)
  const { counts, violations } = checkHistory(known, first)
  for (const name of Object.keys(counts) as (keyof Counts)[]) result.counts[name] += counts[name]
  result.violations.push(...violations.map(({ text }) => text))
  const { events, errors, unhandled } = await fleet.tallies()
  addCounts(result.events, events)
  addCounts(result.errors, errors)
  result.failures.push(...unhandled)
  return carryOver(known)
}

async function measure(member: RecordingProcess | undefined, series: UsageSeries, at: number): Promise<void> {
  if (member === undefined) return
  const { heapBytes, codeBytes, externalBytes, resources } = await member.ask('usage', undefined)
  series.heapBytes.push({ at, value: heapBytes })
  series.codeBytes.push({ at, value: codeBytes })
  series.externalBytes.push({ at, value: externalBytes })
  series.resources.push({ at, value: Object.values(resources).reduce((sum, count) => sum + count, 0) })
  series.kinds = resources
}

function nothingYet(): Soaked {
  return {
    rounds: 0,
    minutes: 0,
    faults: {},
    counts: { ...checkHistory(new History()).counts },
    events: {},
    errors: {},
    violations: [],
    failures: [],
    usage: Array.from({ length: steady }, () => ({ heapBytes: [], codeBytes: [], externalBytes: [], resources: [], kinds: {} })),
  }
}
