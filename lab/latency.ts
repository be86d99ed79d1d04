import type { TrafficRecord } from './messages.ts'

/** A call that was sent late has waited since it was due; a timer may also fire a little early. */
export function latencyOf(record: TrafficRecord, row: number): number {
  return (record.doneMs[row] ?? 0) - Math.min(record.dueMs[row] ?? 0, record.askedMs[row] ?? 0)
}
