import { Coverage } from './coverage.ts'
import { makePlan } from './make-plan.ts'
import type { Plan } from './plan.ts'
import { runPlan } from './run-plan.ts'

export interface Failure {
  readonly seed: number
  readonly rule: string
  readonly text: string
}

export interface SeedsResult {
  readonly failures: readonly Failure[]
  readonly coverage: Coverage
}

/** What one schedule is at least. */
const leastProcesses = 3
const leastDeliveries = 100
/** Every so many schedules are played again with clocks that agree: nothing may change. */
const sameClocksEvery = 20

/** Plays the seeds from `from` up to, not including, `to`. Stops after `mostFailures`. */
export async function runSeeds(from: number, to: number, mostFailures = 1): Promise<SeedsResult> {
  const coverage = new Coverage()
  const failures: Failure[] = []
  for (let seed = from; seed < to && failures.length < mostFailures; seed++) {
    const failure = await runSeed(seed, coverage)
    if (failure !== undefined) failures.push(failure)
  }
  return { failures, coverage }
}

async function runSeed(seed: number, coverage: Coverage): Promise<Failure | undefined> {
  const plan = makePlan(seed)
  const { violation, deliveries, hash } = await runPlan(plan, coverage)
  if (violation !== undefined) return { seed, ...violation }
  const counts = plan.processes.length >= leastProcesses && deliveries >= leastDeliveries
  coverage.count(!counts ? 'schedules too short to count' : plan.calm ? 'schedules without faults' : 'schedules with faults')
  if (seed % sameClocksEvery !== 0) return undefined
  const again = await runPlan(withAgreeingClocks(plan), new Coverage())
  coverage.count('schedules played again with clocks that agree')
  return again.hash === hash
    ? undefined
    : { seed, rule: 'P8', text: 'the run is another when the wall clocks of the processes agree' }
}

function withAgreeingClocks(plan: Plan): Plan {
  return { ...plan, processes: plan.processes.map(process => ({ ...process, wallOffsetMs: 0 })) }
}
