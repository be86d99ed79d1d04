import { build } from 'hdr-histogram-js'
import type { Loads } from './catalogue.ts'
import { latencyOf } from './latency.ts'
import type { ServiceAccount, TrafficRecord } from './messages.ts'
import type { RedisAccount } from './redis-figures.ts'
import type { Scenario } from './scenarios.ts'
import type { Settings } from './settings.ts'
import { type StaleAnswer, staleAnswers } from './staleness.ts'
import { type Timeline, timelineOf } from './timeline.ts'

/** What one contender did in one scenario. Latencies are those of reads, from the moment each was to arrive, given-up ones included. */
export interface Figures {
  readonly reads: number
  readonly writes: number
  readonly failedReads: number
  readonly failedWrites: number
  /** Writes whose invalidation was yet to happen when they were answered. */
  readonly deferredWrites: number
  readonly firstFailure: string | null
  /** Requests per second that the generators really sent, while they sent. */
  readonly offeredPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  readonly databaseQueries: number
  /** The share of reads that caused no query. */
  readonly readsAvoided: number
  readonly peakConcurrentQueries: number
  /** The most loads of one product that were under way together. */
  readonly peakLoadsOfOneProduct: number
  readonly productsAsked: number
  /** Reads that took at least half as long as the source. */
  readonly waited: number
  /** Answers with a row that a write acknowledged before the question had replaced. */
  readonly stale: number
  /** How long after that acknowledgement the oldest of them was asked for. */
  readonly oldestStaleMs: number
  readonly staleExamples: readonly StaleAnswer[]
  readonly hitRatio: number
  readonly redisCommands: number
  readonly redisCpuMs: number
  readonly redisUsedBytes: number
  readonly redisFragmentation: number
  /** Of all service processes together, after a collection, beyond what stood before. */
  readonly heapGrowthBytes: number
  readonly serviceCpuUsPerRequest: number
  readonly generatorCpuMs: number
  /** How late the generators sent, which is part of every latency. */
  readonly sentLateP99Ms: number
  readonly timeline: Timeline
}

interface Observed {
  readonly settings: Settings
  readonly scenario: Scenario
  readonly startAt: number
  readonly records: readonly TrafficRecord[]
  readonly services: readonly ServiceAccount[]
  readonly redis: RedisAccount
}

export function figuresOf({ scenario, startAt, records, services, redis }: Observed): Figures {
  const reads = histogram()
  const lateness = histogram()
  const counted = { reads: 0, writes: 0, failedReads: 0, failedWrites: 0, deferredWrites: 0, waited: 0 }
  let lastAskedMs = 0
  const asked = new Set<number>()
  for (const record of records) {
    for (let row = 0; row < record.dueMs.length; row++) {
      const isWrite = record.write[row] === 1
      const failed = record.version[row] === 0
      const latencyMs = latencyOf(record, row)
      lastAskedMs = Math.max(lastAskedMs, record.askedMs[row] ?? 0)
      lateness.recordValue(micros((record.askedMs[row] ?? 0) - (record.dueMs[row] ?? 0)))
      asked.add(record.product[row] ?? 0)
      if (isWrite) {
        counted.writes++
        if (failed) counted.failedWrites++
        if (record.deferred[row] === 1) counted.deferredWrites++
        continue
      }
      reads.recordValue(micros(latencyMs))
      counted.reads++
      if (failed) counted.failedReads++
      if (latencyMs >= scenario.latencyMs / 2) counted.waited++
    }
  }
  const loads = services.map(service => service.loads)
  const databaseQueries = sum(loads.map(each => each.beganAt.length))
  const served = sum(services.map(service => service.reads))
  const { stale, oldestStaleMs, examples } = staleAnswers(records)
  return {
    ...counted,
    firstFailure: records.find(record => record.firstFailure !== undefined)?.firstFailure ?? null,
    offeredPerSecond: ((counted.reads + counted.writes) * 1000) / Math.max(1, lastAskedMs),
    p50Ms: reads.getValueAtPercentile(50) / 1000,
    p99Ms: reads.getValueAtPercentile(99) / 1000,
    p999Ms: reads.getValueAtPercentile(99.9) / 1000,
    maxMs: reads.maxValue / 1000,
    databaseQueries,
    readsAvoided: 1 - databaseQueries / Math.max(1, counted.reads),
    ...peaksOf(loads),
    productsAsked: asked.size,
    stale,
    oldestStaleMs,
    staleExamples: examples,
    hitRatio: 1 - sum(services.map(service => service.misses)) / Math.max(1, served),
    redisCommands: redis.commands,
    redisCpuMs: redis.cpuMs,
    redisUsedBytes: redis.usedBytes,
    redisFragmentation: redis.fragmentation,
    heapGrowthBytes: sum(services.map(service => service.heapGrowthBytes)),
    serviceCpuUsPerRequest: (sum(services.map(service => service.cpuMs)) * 1000) / Math.max(1, counted.reads + counted.writes),
    generatorCpuMs: sum(records.map(record => record.cpuMs)),
    sentLateP99Ms: lateness.getValueAtPercentile(99) / 1000,
    timeline: timelineOf(scenario.traffic.durationMs, startAt, records, loads),
  }
}

/** The most loads at once in the whole fleet: of all products, and of any single one. */
function peaksOf(fleet: readonly Loads[]): { peakConcurrentQueries: number; peakLoadsOfOneProduct: number } {
  const steps = fleet
    .flatMap(({ beganAt, endedAt, product }) =>
      [...beganAt].flatMap((began, index) => [
        { at: began, by: 1, product: product[index] ?? 0 },
        { at: endedAt[index] ?? began, by: -1, product: product[index] ?? 0 },
      ]),
    )
    .toSorted((a, b) => a.at - b.at)
  const ofProduct = new Map<number, number>()
  let now = 0
  let peakConcurrentQueries = 0
  let peakLoadsOfOneProduct = 0
  for (const { by, product } of steps) {
    now += by
    const own = (ofProduct.get(product) ?? 0) + by
    ofProduct.set(product, own)
    peakConcurrentQueries = Math.max(peakConcurrentQueries, now)
    peakLoadsOfOneProduct = Math.max(peakLoadsOfOneProduct, own)
  }
  return { peakConcurrentQueries, peakLoadsOfOneProduct }
}

function histogram(): ReturnType<typeof build> {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 3 })
}

function micros(ms: number): number {
  return Math.max(1, Math.round(ms * 1000))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
