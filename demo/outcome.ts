import { build } from 'hdr-histogram-js'
import type { ContenderName } from './contender.ts'
import type { ShareResult } from './messages.ts'
import { type Scene, waitedAboveMs } from './scenes.ts'

/** What one contender did in one scene: a row of the table. */
export interface Outcome {
  readonly contender: ContenderName
  readonly requests: number
  readonly databaseQueries: number
  readonly callsThatWaited: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Calls that began after a delete was acknowledged and were answered with the row from before it. Null: the scene deletes nothing. */
  readonly staleAfterDelete: number | null
  readonly failures: number
  readonly firstFailure?: string
}

export interface SceneOutcome {
  readonly scene: Scene
  /** How many different products were asked for. */
  readonly products: number
  readonly outcomes: readonly Outcome[]
}

export function outcomeOf(scene: Scene, contender: ContenderName, shares: readonly ShareResult[]): Outcome {
  const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: 3 })
  let waited = 0
  for (const latencyMs of shares.flatMap(share => [...share.latenciesMs])) {
    histogram.recordValue(Math.max(1, Math.round(latencyMs * 1000)))
    if (latencyMs >= waitedAboveMs) waited++
  }
  const firstFailure = shares.find(share => share.firstFailure !== undefined)?.firstFailure
  return {
    contender,
    requests: histogram.totalCount,
    databaseQueries: sum(shares.map(share => share.queries)),
    callsThatWaited: waited,
    p50Ms: histogram.getValueAtPercentile(50) / 1000,
    p99Ms: histogram.getValueAtPercentile(99) / 1000,
    staleAfterDelete: scene.edits.length === 0 ? null : staleAnswers(shares),
    failures: sum(shares.map(share => share.failures)),
    ...(firstFailure === undefined ? {} : { firstFailure }),
  }
}

/** An answer is stale when a delete acknowledged before the question was asked had already revoked it. */
function staleAnswers(shares: readonly Pick<ShareResult, 'answers' | 'deletes'>[]): number {
  const deletes = shares.flatMap(share => share.deletes)
  return shares
    .flatMap(share => share.answers)
    .filter(answer =>
      deletes.some(
        done => done.product === answer.product && done.acknowledgedAt <= answer.askedAt && answer.version < done.version,
      ),
    ).length
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
