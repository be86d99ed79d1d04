import { checkPlan, type Mode } from './check-plan.ts'
import { Coverage } from './coverage.ts'
import { makePlan } from './make-plan.ts'

export interface Failure {
  readonly seed: number
  readonly rule: string
  readonly text: string
}

export interface SeedsResult {
  /** How many schedules were played, those included that failed. */
  readonly played: number
  readonly failures: readonly Failure[]
  readonly coverage: Coverage
}

/** What one schedule is at least. */
const leastProcesses = 3
const leastDeliveries = 100
/** Every so many schedules are played again with clocks that agree. */
const sameClocksEvery = 20

/** Counts schedules in which too little happened. */
export const tooShort = 'schedules too short to count'

/** How a seed is played. */
export function modeOf(seed: number): Mode {
  return seed % sameClocksEvery === 0 ? 'and with clocks that agree' : 'as planned'
}

/** Plays the seeds from `from` up to, not including, `to`. Stops after `mostFailures`. */
export async function runSeeds(from: number, to: number, mostFailures = 1): Promise<SeedsResult> {
  const coverage = new Coverage()
  const failures: Failure[] = []
  let seed = from
  for (; seed < to && failures.length < mostFailures; seed++) {
    const failure = await runSeed(seed, coverage)
    if (failure !== undefined) failures.push(failure)
  }
  return { played: seed - from, failures, coverage }
}

async function runSeed(seed: number, coverage: Coverage): Promise<Failure | undefined> {
  const plan = makePlan(seed)
  const { violation, deliveries } = await checkPlan(plan, coverage, modeOf(seed))
  if (violation !== undefined) return { seed, ...violation }
  const counts = plan.processes.length >= leastProcesses && deliveries >= leastDeliveries
  coverage.count(!counts ? tooShort : plan.calm ? 'schedules without faults' : 'schedules with faults')
  return undefined
}
