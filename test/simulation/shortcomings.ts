import { tooShort, type SeedsResult } from './run-seeds.ts'

/** So many schedules, which `npm test` plays, reach everything. A shorter run says nothing by what it did not reach. */
export const enoughToReachAll = 10_000

/** The share of schedules that may be too short to count. */
const mostTooShort = 0.01

/** What a run lacks in which nothing broke: then it shows less than it seems to. */
export function shortcomings({ played, coverage }: SeedsResult): string[] {
  const short = coverage.counts.get(tooShort) ?? 0
  const lacking = short > Math.max(1, mostTooShort * played) ? [`${short} of ${played} schedules were too short to count`] : []
  const missing = played < enoughToReachAll ? [] : coverage.missing()
  return [...lacking, ...missing.map(name => `never reached: ${name}`)]
}
