import { setTimeout as sleep } from 'node:timers/promises'
import type { Closing } from '../demo/closing.ts'
import { sharedNow } from '../demo/shared-clock.ts'
import type { ContenderId } from './contenders/index.ts'
import { type Figures, figuresOf } from './figures.ts'
import type { Counts } from './messages.ts'
import type { Incident, Scenario } from './scenarios.ts'
import type { Settings } from './settings.ts'
import { type Database, type Generators, Stage } from './stage.ts'

/** One scenario, once, for one contender. */
export async function playOnce(
  settings: Settings,
  scenario: Scenario,
  contender: ContenderId,
  round: number,
  setting: { readonly database: Database; readonly generators: Generators; readonly closing: Closing },
  onCounts: (counts: Counts) => void,
): Promise<Figures> {
  const stage = new Stage(settings, scenario, contender, setting.database, setting.generators)
  // Registered for an interruption; when all goes well it is closed at once, and closing it again does nothing.
  await setting.closing.open(Promise.resolve(stage))
  try {
    await stage.open()
    const seed = settings.seed + round * 1000
    await warmUp(stage, scenario, seed)
    if (scenario.cold) await stage.emptyCaches()
    await stage.beginCounting()
    const startAt = stage.soon()
    const happening = Promise.all(scenario.incidents.map(incident => happen(stage, scenario, incident, startAt)))
    const [records] = await Promise.all([stage.play(scenario.traffic, seed, startAt, onCounts), happening])
    const { services, redis } = await stage.finishCounting()
    return figuresOf({ settings, scenario, startAt, records, services, redis })
  } finally {
    await stage.close()
  }
}

/** The same traffic as later, its products coming in one after the other. */
async function warmUp(stage: Stage, { traffic, warmUpMs }: Scenario, seed: number): Promise<void> {
  const { burst: _burst, edits: _edits, ...rest } = traffic
  await stage.play({ ...rest, durationMs: warmUpMs, churn: 0, entering: true }, seed + 1, stage.soon())
}

async function happen(stage: Stage, { traffic }: Scenario, { at, does }: Incident, startAt: number): Promise<void> {
  await sleep(Math.max(0, startAt + at * traffic.durationMs - sharedNow()))
  switch (does) {
    case 'restart half of the workers':
      return stage.restartHalfOfTheWorkers()
    case 'stop Redis':
      return stage.stopRedis()
    case 'let Redis go on':
      return stage.letRedisGoOn()
    case 'restart Redis empty':
      return stage.restartRedisEmpty()
  }
}
