import { describe, expect, it } from 'vitest'
import { Coverage } from './coverage.ts'
import { expectedNames } from './expected-coverage.ts'
import { tooShort } from './run-seeds.ts'
import { enoughToReachAll, shortcomings } from './shortcomings.ts'

function reached(...names: readonly string[]): Coverage {
  const coverage = new Coverage()
  for (const name of names) coverage.count(name)
  return coverage
}

describe('a run in which nothing broke', () => {
  it('lacks what it did not reach, if it was long enough to reach everything', () => {
    const [missing, ...others] = expectedNames
    const coverage = reached(...others)
    const long = shortcomings({ played: enoughToReachAll, failures: [], coverage })
    expect(long).toEqual([`never reached: ${missing}`])
    expect(shortcomings({ played: enoughToReachAll - 1, failures: [], coverage })).toEqual([])
  })

  it('lacks something if more than one schedule of a hundred was too short', () => {
    const coverage = new Coverage()
    coverage.count(tooShort, 30)
    expect(shortcomings({ played: 3000, failures: [], coverage })).toEqual([])
    coverage.count(tooShort)
    expect(shortcomings({ played: 3000, failures: [], coverage })).toEqual(['31 of 3000 schedules were too short to count'])
  })
})
