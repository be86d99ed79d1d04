/** One contender's throughput, and its ratio to the control of the same rounds. */
export interface Measurement {
  readonly name: string
  readonly payload: string
  readonly inFlight: number
  readonly perSecond: number
  readonly ratio: number
  /** CPU time of this process per call, in µs: steadier than throughput on a machine that does other things too. */
  readonly cpuUs: number
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
