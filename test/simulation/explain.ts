import { checkPlan, type Mode, type Timelines } from './check-plan.ts'
import { Coverage } from './coverage.ts'
import { makePlan } from './make-plan.ts'
import type { Plan } from './plan.ts'
import { modeOf } from './run-seeds.ts'
import { shrink } from './shrink.ts'
import { Timeline } from './timeline.ts'

const sound = 'nothing broke'

export function isSound(explanation: string): boolean {
  return explanation.startsWith(sound)
}

/** Plays a seed again as a long run does, shrinks it if it fails, and tells who did what, when, and what broke. */
export async function explain(seed: number): Promise<string> {
  return await explainPlan(makePlan(seed), modeOf(seed))
}

async function explainPlan(plan: Plan, played: Mode): Promise<string> {
  const { seed } = plan
  const { violation, mode } = await checkPlan(plan, new Coverage(), played)
  if (violation === undefined) return `${sound}: seed ${seed}`
  const shrunk = await shrink(plan, violation.rule, mode)
  const timelines = { planned: new Timeline(), agreeing: new Timeline() }
  await checkPlan(shrunk, new Coverage(), mode, timelines)
  return [
    `seed ${seed} breaks ${violation.rule}: ${violation.text}`,
    `shrunk from ${sizes(plan)} to ${sizes(shrunk)}${shrunk.calm ? ', no faults in this schedule' : ''}:`,
    '       ms  who    what',
    ...(mode === 'as planned' ? timelines.planned.lines : bothOf(timelines)),
    `replay: npm run test:sim -- --replay ${seed}`,
  ].join('\n')
}

/** What the two runs have in common, and how each goes on. */
function bothOf({ planned, agreeing }: Timelines): string[] {
  const same = planned.lines.findIndex((line, nth) => line !== agreeing.lines[nth])
  const fork = same === -1 ? planned.lines.length : same
  return [
    ...planned.lines.slice(0, fork),
    '--- from here, with the clocks of the plan:',
    ...planned.lines.slice(fork),
    '--- and with clocks that agree:',
    ...agreeing.lines.slice(fork),
  ]
}

function sizes({ ops, faults }: Plan): string {
  return `${ops.length} operations and ${faults.length} faults`
}
