import { checkPlan, type Mode } from './check-plan.ts'
import { Coverage } from './coverage.ts'
import type { Plan, Weather } from './plan.ts'
import { runPlan } from './run-plan.ts'

const mostRuns = 600

/** Takes away operations, faults, troubled messages and whole processes as long as the same rule is still broken. */
export async function shrink(plan: Plan, rule: string, mode: Mode): Promise<Plan> {
  let best = plan
  let runs = 0

  async function stillFails(candidate: Plan): Promise<boolean> {
    if (runs++ >= mostRuns) return false
    const { violation } = await checkPlan(candidate, new Coverage(), mode)
    if (violation?.rule !== rule) return false
    best = candidate
    return true
  }

  /** Halves first, then quarters, down to single ones. */
  async function drop<Item>(items: () => readonly Item[], without: (kept: readonly Item[]) => Plan): Promise<void> {
    for (let size = Math.ceil(items().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < items().length;) {
        const kept = items().filter((_, index) => index < at || index >= at + size)
        if (!(await stillFails(without(kept)))) at += size
      }
    }
  }

  for (let before = Infinity; sizeOf(best) < before && runs < mostRuns;) {
    before = sizeOf(best)
    await drop(
      () => best.ops,
      ops => ({ ...best, ops }),
    )
    await drop(
      () => best.faults,
      faults => ({ ...best, faults }),
    )
    const { spoiled } = await runPlan(best, new Coverage())
    const fair = { ...best, weather: { ...best.weather, ...fairWeather } }
    if (!(await stillFails(fair))) {
      for (const message of spoiled) await stillFails({ ...best, spared: new Set([...best.spared, message]) })
    }
  }
  return best
}

const fairWeather: Partial<Weather> = {
  lostRequest: 0,
  lostReply: 0,
  lateRequest: 0,
  resent: 0,
  lostWake: 0,
  repeatedWake: 0,
  lateWake: 0,
  lostChange: 0,
  repeatedChange: 0,
  lateChange: 0,
}

function sizeOf({ ops, faults, spared }: Plan): number {
  return ops.length + faults.length - spared.size / 1000
}
