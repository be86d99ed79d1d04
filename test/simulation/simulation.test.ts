import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { Coverage } from './coverage.ts'
import { explain } from './explain.ts'
import { makePlan } from './make-plan.ts'
import { runPlan } from './run-plan.ts'
import { playSeeds } from './play-seeds.ts'
import { enoughToReachAll as schedules, shortcomings } from './shortcomings.ts'

describe('a fleet keeps its promises whatever becomes of its messages, processes and store', () => {
  it(`over ${schedules} schedules, in which every fault, every reply and every branch is met`, async () => {
    const result = await playSeeds({ from: 1, to: 1 + schedules }, availableParallelism())
    process.stdout.write(`${result.coverage.report()}\n`)
    for (const { seed } of result.failures) expect.unreachable(await explain(seed))
    expect(shortcomings(result)).toEqual([])
  })

  it('plays a seed the same way each time', async () => {
    const first = await runPlan(makePlan(7), new Coverage())
    expect(await runPlan(makePlan(7), new Coverage())).toEqual(first)
  })
})
