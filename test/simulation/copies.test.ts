import { expect, it } from 'vitest'
import { Coverage } from './coverage.ts'
import { makePlan } from './make-plan.ts'
import { runPlan } from './run-plan.ts'

/** Seeds that the large run does not play. */
const from = 1_000_001
const schedules = 100

async function firstBroken(): Promise<string | undefined> {
  for (let seed = from, left = schedules; left > 0; seed++) {
    const plan = makePlan(seed)
    if (plan.processes.every(({ options }) => options.local?.mode !== 'trust')) continue
    left--
    const { violation } = await runPlan(plan, new Coverage())
    if (violation !== undefined) return `${violation.rule}: ${violation.text}; npm run test:sim -- --replay ${seed} explains it`
  }
  return undefined
}

it(`copies in the processes of a fleet keep within their bounds over ${schedules} schedules that have some`, async () => {
  expect(await firstBroken()).toBeUndefined()
})
