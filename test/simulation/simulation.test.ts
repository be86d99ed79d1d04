import { describe, expect, it } from 'vitest'
import { Coverage } from './coverage.ts'
import { explain } from './explain.ts'
import { makePlan } from './make-plan.ts'
import { runPlan } from './run-plan.ts'
import { runSeeds } from './run-seeds.ts'

const schedules = 10_000
const shard = 250
const coverage = new Coverage()

describe('a fleet keeps its promises whatever becomes of its messages, processes and store', () => {
  it.each(Array.from({ length: schedules / shard }, (_, index) => 1 + index * shard))(
    'over 250 schedules from seed %i',
    async from => {
      const { failures, coverage: reached } = await runSeeds(from, from + shard)
      coverage.add(reached)
      for (const { seed } of failures) expect.unreachable(await explain(seed))
      expect(failures).toEqual([])
    },
  )

  it('has met with every fault, every reply and every branch', () => {
    process.stdout.write(`${coverage.report()}\n`)
    expect(coverage.missing()).toEqual([])
  })

  it('plays a seed the same way each time', async () => {
    const first = await runPlan(makePlan(7), new Coverage())
    expect(await runPlan(makePlan(7), new Coverage())).toEqual(first)
  })
})
