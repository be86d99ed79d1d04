import type { Closing } from './closing.ts'
import { contenderNames } from './contender.ts'
import type { Flags } from './flags.ts'
import { arrivalsOf, Fleet } from './fleet.ts'
import { outcomeOf, type Outcome, type SceneOutcome } from './outcome.ts'
import { startPostgres } from './postgres.ts'
import type { Progress } from './progress.ts'
import { type DemoRedis, openRedis } from './redis.ts'
import type { Setting } from './report.ts'
import { type Scene, scenes } from './scenes.ts'

const workers = 4

export interface Stage {
  readonly setting: Setting
  readonly fleet: Fleet
  readonly scenes: readonly Scene[]
}

/** Starts what the demo needs. */
export async function setStage(flags: Flags, closing: Closing, progress: Progress): Promise<Stage> {
  progress.passing('Starting Postgres, Redis and the workers ...')
  const startingPostgres = closing.open(startPostgres(closing.signal))
  const { redis, why } = flags.noRedis
    ? { redis: undefined, why: 'Redis was left out with --no-redis.' }
    : await findRedis(closing, line => progress.line(line))
  const fleetSize = redis === undefined ? 1 : workers
  const fleet = await closing.open(Promise.resolve(new Fleet(fleetSize)))
  const postgres = await startingPostgres
  await fleet.connect({ databaseUrl: postgres.url, schema: postgres.schema, redisUrl: redis?.url })
  const metrics = flags.metricsPort === undefined ? [] : await fleet.serveMetrics(flags.metricsPort)
  const toPlay = scenes(flags.quick)
  const setting: Setting = {
    workers: fleetSize,
    redis: redis?.label ?? null,
    postgres: postgres.label,
    queryMs: postgres.queryMs,
    sourceLatencyMs: toPlay[0]?.latency.usualMs ?? 0,
    metrics,
    notShown: redis === undefined ? notShownWithoutRedis(why) : [],
  }
  return { setting, fleet, scenes: toPlay }
}

/** Plays every scene, first with cache-aside, then with Leasehold. */
export async function playAll({ setting, fleet, scenes: toPlay }: Stage, progress: Progress): Promise<SceneOutcome[]> {
  progress.introduce(setting)
  const outcomes: SceneOutcome[] = []
  for (const [index, scene] of toPlay.entries()) {
    progress.scene(scene, index + 1, toPlay.length)
    outcomes.push(await playScene(scene, fleet, progress))
  }
  return outcomes
}

async function playScene(scene: Scene, fleet: Fleet, progress: Progress): Promise<SceneOutcome> {
  const outcomes: Outcome[] = []
  for (const contender of contenderNames) {
    const run = progress.run(contender, scene)
    const outcome = outcomeOf(scene, contender, await fleet.play(scene, contender, run.counts))
    run.end(outcome)
    outcomes.push(outcome)
  }
  const products = new Set(arrivalsOf(scene).map(arrival => arrival.product)).size
  return { scene, products, outcomes }
}

async function findRedis(closing: Closing, say: (line: string) => void): Promise<{ redis: DemoRedis | undefined; why: string }> {
  try {
    return { redis: await closing.open(openRedis(say)), why: '' }
  } catch (error) {
    return { redis: undefined, why: error instanceof Error ? error.message : String(error) }
  }
}

function notShownWithoutRedis(why: string): string[] {
  return [
    why,
    'So this is one worker with its entries in memory. Not shown: many processes that miss together and load once,',
    'a delete in one process that stops a load in another, and what a trip to Redis costs.',
  ]
}
