import type { Loads } from './catalogue.ts'
import { latencyOf } from './latency.ts'
import type { TrafficRecord } from './messages.ts'

/** The run in slices of equal length. A read belongs to the slice in which it was to arrive. */
export interface Timeline {
  readonly stepMs: number
  readonly p99Ms: readonly (number | null)[]
  /** Database queries begun. */
  readonly queries: readonly number[]
  readonly failed: readonly number[]
}

const slices = 40

export function timelineOf(
  durationMs: number,
  startAt: number,
  records: readonly TrafficRecord[],
  loads: readonly Loads[],
): Timeline {
  const stepMs = durationMs / slices
  const sliceOf = (atMs: number): number => Math.max(0, Math.min(slices - 1, Math.floor(atMs / stepMs)))
  const latencies = Array.from({ length: slices }, (): number[] => [])
  const failed = Array.from({ length: slices }, () => 0)
  const queries = Array.from({ length: slices }, () => 0)
  for (const record of records) {
    for (let row = 0; row < record.dueMs.length; row++) {
      const slice = sliceOf(record.dueMs[row] ?? 0)
      if (record.version[row] === 0) failed[slice] = (failed[slice] ?? 0) + 1
      if (record.write[row] === 0) latencies[slice]?.push(latencyOf(record, row))
    }
  }
  for (const { beganAt } of loads) {
    for (const began of beganAt) {
      const slice = sliceOf(began - startAt)
      queries[slice] = (queries[slice] ?? 0) + 1
    }
  }
  return { stepMs, p99Ms: latencies.map(p99), queries, failed }
}

function p99(latencies: readonly number[]): number | null {
  const sorted = latencies.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.99) - 1)] ?? null
}
