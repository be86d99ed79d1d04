import { Coverage } from './coverage.ts'
import { makePlan } from './make-plan.ts'
import type { Plan } from './plan.ts'
import { runPlan } from './run-plan.ts'
import { shrink } from './shrink.ts'
import { Timeline } from './timeline.ts'

const sound = 'nothing broke'

export function isSound(explanation: string): boolean {
  return explanation.startsWith(sound)
}

/** Plays a seed again, shrinks it if it fails, and tells who did what, when, and what broke. */
export async function explain(seed: number): Promise<string> {
  const plan = makePlan(seed)
  const first = await runPlan(plan, new Coverage())
  if (first.violation === undefined) return `${sound}: seed ${seed}`
  const { rule } = first.violation
  const shrunk = await shrink(plan, rule)
  const timeline = new Timeline()
  await runPlan(shrunk, new Coverage(), timeline)
  return [
    `seed ${seed} breaks ${rule}: ${first.violation.text}`,
    `shrunk from ${sizes(plan)} to ${sizes(shrunk)}${shrunk.calm ? ', no faults in this schedule' : ''}:`,
    '       ms  who    what',
    ...timeline.lines,
    `replay: npm run test:sim -- --replay ${seed}`,
  ].join('\n')
}

function sizes({ ops, faults }: Plan): string {
  return `${ops.length} operations and ${faults.length} faults`
}
