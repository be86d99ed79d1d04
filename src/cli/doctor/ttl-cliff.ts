export interface Cliff {
  /** Of all lifetimes. */
  readonly share: number
  /** Between the first and the last of them. */
  readonly widthMs: number
  /** Until the first of them. */
  readonly inMs: number
}

const fewest = 100
const cliffShare = 0.4
/** Where most lifetimes are shorter, keys always go together. */
const shortestMs = 5_000
/** Jitter alone spreads lifetimes over a tenth. */
const widthOfLifetime = 0.02

/**
 * The moment at which many keys go together, if there is one: four tenths of them or more within a fiftieth of the time that is left
 * until then.
 *
 * @param sorted remaining lifetimes in ms, ascending; what is past already counts for nothing
 */
export function findCliff(sorted: readonly number[]): Cliff | undefined {
  if (sorted.length < fewest || (sorted[Math.floor(sorted.length * 0.9)] ?? 0) < shortestMs) return undefined
  let best: Cliff | undefined
  let first = sorted.findIndex(lifetime => lifetime > 0)
  if (first === -1) return undefined
  for (let last = first; last < sorted.length; last++) {
    const end = sorted[last] as number
    while (end - (sorted[first] as number) > end * widthOfLifetime) first++
    const start = sorted[first] as number
    const share = (last - first + 1) / sorted.length
    if (share >= cliffShare && share > (best?.share ?? 0)) best = { share, widthMs: end - start, inMs: start }
  }
  return best
}
