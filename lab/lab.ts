import { availableParallelism, cpus, loadavg } from 'node:os'
import { AskedChild } from '../demo/asked-child.ts'
import type { Closing } from '../demo/closing.ts'
import { startPostgresServer } from '../demo/postgres.ts'
import { findProgram } from '../scripts/find-redis.ts'
import { Catalogue } from './catalogue.ts'
import type { ContenderId } from './contenders/index.ts'
import type { Figures } from './figures.ts'
import type { Flags } from './flags.ts'
import type { FromGenerator, ToGenerator } from './messages.ts'
import type { Progress } from './progress.ts'
import { type LabResult, type Machine, outcomeOf, type ScenarioResult } from './results.ts'
import { playOnce } from './run.ts'
import { type Scenario, scenarioOf } from './scenarios.ts'
import type { Settings } from './settings.ts'
import type { Database } from './stage.ts'
import { productsInAll } from './traffic.ts'

const generatorFile = new URL('generator.ts', import.meta.url)

/** Plays every scenario for every contender, in turns. */
export async function playAll(flags: Flags, closing: Closing, progress: Progress): Promise<LabResult> {
  const { settings } = flags
  const startedAt = performance.now()
  progress.passing('Starting Postgres and the load generators ...')
  const loadBefore = loadavg()[0] ?? 0
  const redis = await findProgram({ say: line => progress.line(line) })
  if (redis.kind === 'none')
    throw new Error(`${redis.advice} (The lab stops and restarts Redis, so it needs servers of its own.)`)
  const { database, label } = await openDatabase(settings, closing)
  const generators = Array.from({ length: settings.generators }, () => new AskedChild<ToGenerator, FromGenerator>(generatorFile))
  await closing.open(Promise.resolve({ close: async () => void (await Promise.all(generators.map(each => each.stop()))) }))
  const machine: Machine = {
    date: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    loadBefore,
    node: process.version,
    redis: redis.version,
    postgres: label,
  }
  progress.introduce(machine, settings)
  const results: ScenarioResult[] = []
  for (const [index, id] of flags.scenarios.entries()) {
    const scenario = scenarioOf(id, settings)
    progress.scenario(scenario, index + 1, flags.scenarios.length)
    results.push(await playScenario(flags, scenario, { database, generators, closing }, progress))
  }
  return { machine, settings, quick: flags.quick, tookMs: performance.now() - startedAt, results }
}

async function playScenario(
  { settings, contenders }: Flags,
  scenario: Scenario,
  setting: Parameters<typeof playOnce>[4],
  progress: Progress,
): Promise<ScenarioResult> {
  const rounds = new Map<ContenderId, Figures[]>(contenders.map(contender => [contender, []]))
  for (let round = 0; round < settings.rounds; round++) {
    for (const contender of contenders) {
      const run = progress.run(contender, scenario)
      const figures = await playOnce(settings, scenario, contender, round, setting, run.counts)
      run.end(figures)
      rounds.get(contender)?.push(figures)
    }
  }
  return { scenario, outcomes: contenders.map(contender => outcomeOf(contender, rounds.get(contender) ?? [])) }
}

async function openDatabase(settings: Settings, closing: Closing): Promise<{ database: Database; label: string }> {
  const server = await closing.open(startPostgresServer(closing.signal))
  const database: Database = { url: server.url, schema: `leasehold_lab_${process.pid}` }
  const catalogue = new Catalogue(database.url, database.schema)
  const close = async (): Promise<void> => {
    if (server.given) await catalogue.drop()
    await catalogue.close()
  }
  await closing.open(Promise.resolve({ close }))
  await catalogue.create(productsInAll(settings.products), settings.valueBytes)
  return { database, label: server.label }
}
