import { Coverage } from './coverage.ts'
import type { Plan } from './plan.ts'
import { runPlan } from './run-plan.ts'
import type { Timeline } from './timeline.ts'
import type { Violation } from './world.ts'

/** Once as planned, or twice: the second time with wall clocks that agree, which may change nothing. */
export type Mode = 'as planned' | 'and with clocks that agree'

export interface CheckedPlan {
  readonly violation: Violation | undefined
  /** In which mode it was broken, if it was: what is found by one run needs no other. */
  readonly mode: Mode
  readonly deliveries: number
}

/** Where the lines of the two runs are written. */
export interface Timelines {
  readonly planned: Timeline
  readonly agreeing: Timeline
}

/** Plays a plan in that mode, and says what broke. */
export async function checkPlan(plan: Plan, coverage: Coverage, mode: Mode, timelines?: Timelines): Promise<CheckedPlan> {
  const { violation, deliveries, hash } = await runPlan(plan, coverage, timelines?.planned)
  if (violation !== undefined || mode === 'as planned') return { violation, deliveries, mode: 'as planned' }
  const again = await runPlan(withAgreeingClocks(plan), new Coverage(), timelines?.agreeing)
  coverage.count('schedules played again with clocks that agree')
  if (again.hash === hash) return { violation: undefined, deliveries, mode }
  const broken = again.violation === undefined ? '' : `, and breaks ${again.violation.rule}: ${again.violation.text}`
  const text = `the run is another when the wall clocks of the processes agree${broken}`
  return { violation: { rule: 'P8: wall clocks change nothing', text }, deliveries, mode }
}

function withAgreeingClocks(plan: Plan): Plan {
  return { ...plan, processes: plan.processes.map(process => ({ ...process, wallOffsetMs: 0 })) }
}
