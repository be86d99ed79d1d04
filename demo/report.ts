import Table from 'cli-table3'
import type { ContenderName } from './contender.ts'
import type { Outcome, SceneOutcome } from './outcome.ts'
import { count, milliseconds, type Paint } from './paint.ts'

export interface Setting {
  readonly workers: number
  readonly redis: string | null
  readonly postgres: string
  readonly queryMs: number
  readonly sourceLatencyMs: number
  /** Where each worker's metrics are served. */
  readonly metrics: readonly string[]
  /** What this run could not show, and why. */
  readonly notShown: readonly string[]
}

export function table(scenes: readonly SceneOutcome[], paint: Paint): string {
  const bold = (lines: string): string =>
    lines
      .split('\n')
      .map(line => paint('bold', line))
      .join('\n')
  const head = ['', '', 'database\nqueries', 'calls\nthat\nwaited', 'p50', 'p99', 'stale after\nthe delete']
  const grid = new Table({
    head: head.map(bold),
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  })
  for (const { scene, outcomes } of scenes) {
    const column = (text: (outcome: Outcome) => string): string => outcomes.map(text).join('\n')
    const judged = (pick: (outcome: Outcome) => number): string => {
      const best = Math.min(...outcomes.map(pick))
      return column(outcome => paint(pick(outcome) > best ? 'red' : 'green', count(pick(outcome))))
    }
    grid.push([
      bold(scene.name.replace(/ (?=\S+$)/, '\n')),
      column(outcome => paint(outcome.contender === 'Leasehold' ? ['green', 'bold'] : 'yellow', outcome.contender)),
      judged(outcome => outcome.databaseQueries),
      judged(outcome => outcome.callsThatWaited),
      column(outcome => milliseconds(outcome.p50Ms)),
      column(outcome => milliseconds(outcome.p99Ms)),
      scene.edits.length === 0 ? '' : judged(outcome => outcome.staleAfterDelete ?? 0),
    ])
  }
  return grid.toString()
}

/** The table in one line. */
export function reading(scenes: readonly SceneOutcome[]): string {
  const plain = total(scenes, 'cache-aside')
  const ours = total(scenes, 'Leasehold')
  const stale = (number: number): string =>
    number === 0 ? 'never gave out a deleted value' : `gave out deleted values ${count(number)} times`
  return (
    `For the same ${count(ours.requests)} requests cache-aside asked the database ${count(plain.queries)} times and ${stale(plain.stale)}; ` +
    `Leasehold asked ${count(ours.queries)} times and ${stale(ours.stale)}.`
  )
}

export function failures(scenes: readonly SceneOutcome[]): string[] {
  return scenes.flatMap(({ scene, outcomes }) =>
    outcomes
      .filter(outcome => outcome.failures > 0)
      .map(
        outcome =>
          `${scene.name}, ${outcome.contender}: ${outcome.failures} calls failed, the first with ${outcome.firstFailure}`,
      ),
  )
}

export function json(setting: Setting, scenes: readonly SceneOutcome[]): string {
  const report = {
    ...setting,
    scenes: scenes.map(({ scene, products, outcomes }) => ({
      scene: scene.name,
      what: scene.what,
      products,
      contenders: outcomes,
    })),
    reading: reading(scenes),
  }
  return JSON.stringify(report, (_key, value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value), 2)
}

function total(scenes: readonly SceneOutcome[], contender: ContenderName): { requests: number; queries: number; stale: number } {
  const sums = { requests: 0, queries: 0, stale: 0 }
  for (const outcome of scenes.flatMap(scene => scene.outcomes).filter(candidate => candidate.contender === contender)) {
    sums.requests += outcome.requests + outcome.failures
    sums.queries += outcome.databaseQueries
    sums.stale += outcome.staleAfterDelete ?? 0
  }
  return sums
}
