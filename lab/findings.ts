import { count, milliseconds } from '../demo/paint.ts'
import { type Column, columns } from './columns.ts'
import { contenders } from './contenders/index.ts'
import type { Figures } from './figures.ts'
import type { LabResult, Outcome, ScenarioResult } from './results.ts'
import type { ScenarioId } from './scenarios.ts'

export interface Findings {
  /** What this run shows of what Leasehold claims, whether it bears the claim out or not. */
  readonly shown: readonly string[]
  /** Figures in which another contender did better than the noise allows for, scenario by scenario. */
  readonly notBest: readonly string[]
  /** Runs in which the machine held up the load generators themselves. */
  readonly disturbed: readonly string[]
}

/** Requests are never due closer together than a timer's tick; later than this they were held up. */
const disturbedAboveMs = 50

/** By how much another must be better to be said so. */
const margin = 0.1

export function findings(result: LabResult): Findings {
  const found = (id: ScenarioId): ScenarioResult | undefined => result.results.find(({ scenario }) => scenario.id === id)
  return {
    shown: [
      ...describeP99s(found('steady')),
      ...describeColdStart(found('cold')),
      ...describeHotKeys(found('hot-keys')),
      ...describeStale(result.results),
      ...describeOffer(result),
    ],
    notBest: result.results.flatMap(whereNotBest),
    disturbed: result.results.flatMap(whereDisturbed),
  }
}

function describeP99s(steady: ScenarioResult | undefined): string[] {
  if (steady === undefined) return []
  const ours = oursOf(steady)
  const direct = steady.outcomes.find(({ contender }) => contender === 'none')
  if (ours === undefined || direct === undefined) return []
  const names = steady.outcomes.map(({ contender }) => contenders[contender].title).join(' : ')
  const p99s = steady.outcomes.map(({ figures }) => milliseconds(figures.p99Ms)).join(' : ')
  const avoided = steady.outcomes.map(({ figures }) => `${(figures.readsAvoided * 100).toFixed(1)} %`).join(' : ')
  const times = direct.figures.p99Ms / ours.figures.p99Ms
  return [
    `Steady reads, p99 of ${names} = ${p99s}; reads that caused no query ${avoided}. ` +
      `The p99 without a cache is ${times.toFixed(1)} times Leasehold's.`,
  ]
}

function describeColdStart(cold: ScenarioResult | undefined): string[] {
  const ours = cold && oursOf(cold)
  if (ours === undefined) return []
  const { databaseQueries, productsAsked, peakLoadsOfOneProduct } = ours.figures
  const others = cold?.outcomes.filter(({ contender }) => !contenders[contender].ours) ?? []
  const most = Math.max(0, ...others.map(({ figures }) => figures.peakLoadsOfOneProduct))
  return [
    `Cold start: Leasehold asked the database ${count(databaseQueries)} times for ${count(productsAsked)} products, never more than ` +
      `${count(peakLoadsOfOneProduct)} at once for the same one; others up to ${count(most)}.`,
  ]
}

function describeHotKeys(hot: ScenarioResult | undefined): string[] {
  const ours = hot && oursOf(hot)
  if (ours === undefined) return []
  const { p50Ms, p99Ms } = ours.figures
  return [
    `Hot keys expire: Leasehold's p99 is ${(p99Ms / p50Ms).toFixed(1)} times its p50 (${milliseconds(p99Ms)}, ${milliseconds(p50Ms)}).`,
  ]
}

function describeStale(results: readonly ScenarioResult[]): string[] {
  const written = results.filter(({ outcomes }) => outcomes.some(({ figures }) => figures.writes > 0))
  const outage = ({ scenario }: ScenarioResult): boolean => scenario.incidents.some(({ does }) => does === 'stop Redis')
  const during = written.filter(outage)
  const otherwise = written.filter(result => !outage(result))
  return [
    ...(otherwise.length === 0
      ? []
      : [`Answers that were stale after an acknowledged invalidation, while Redis answered: ${staleOf(otherwise)}.`]),
    ...(during.length === 0
      ? []
      : [
          `The same where Redis hung for a while: ${staleOf(during)}. Leasehold vouches only for what Redis vouched for; what it loads during an outage is not.`,
        ]),
  ]
}

function staleOf(results: readonly ScenarioResult[]): string {
  const totals = new Map<string, number>()
  for (const { contender, figures } of results.flatMap(({ outcomes }) => outcomes)) {
    const { title } = contenders[contender]
    totals.set(title, (totals.get(title) ?? 0) + figures.stale)
  }
  return [...totals].map(([title, stale]) => `${title} ${count(stale)}`).join(', ')
}

function describeOffer({ results, settings }: LabResult): string[] {
  const all = results.flatMap(({ outcomes }) => outcomes.map(({ figures }) => figures))
  const late = Math.max(0, ...all.map(figures => figures.sentLateP99Ms))
  const least = Math.min(...all.map(figures => figures.offeredPerSecond))
  return [
    `The load generators offered at least ${count(Math.round(least))} requests/s of the ${count(settings.perSecond)} asked for; at worst 1 of 100 was sent ` +
      `more than ${milliseconds(late)} late, which is part of every latency here.`,
  ]
}

/** Of each way to use Leasehold, beside everybody who is not it. */
function whereNotBest({ scenario, outcomes }: ScenarioResult): string[] {
  const others = outcomes.filter(({ contender }) => !contenders[contender].ours)
  return outcomes.flatMap(ours => {
    if (!contenders[ours.contender].ours) return []
    const told = columns.flatMap(column => {
      const better = others.filter(other => isBetter(column, other.figures, ours.figures))
      if (better.length === 0) return []
      const named = better.map(other => `${contenders[other.contender].title} ${column.show(column.pick(other.figures))}`)
      return [`${column.title} ${column.show(column.pick(ours.figures))} (${named.join(', ')})`]
    })
    return told.length === 0 ? [] : [`${scenario.title}, ${contenders[ours.contender].title}: ${told.join('; ')}.`]
  })
}

function whereDisturbed({ scenario, outcomes }: ScenarioResult): string[] {
  return outcomes
    .filter(({ figures }) => figures.sentLateP99Ms > disturbedAboveMs)
    .map(
      ({ contender, figures }) =>
        `${scenario.title}, ${contenders[contender].title}: 1 of 100 requests was sent more than ${milliseconds(figures.sentLateP99Ms)} late, so its latencies say nothing.`,
    )
}

function isBetter({ pick, better, noise = 0 }: Column, other: Figures, ours: Figures): boolean {
  if (better === undefined) return false
  const gain = better === 'lower' ? pick(ours) - pick(other) : pick(other) - pick(ours)
  return gain > noise && gain > margin * Math.abs(pick(ours)) * (better === 'higher' ? 0 : 1)
}

/** On its defaults, where that was played. */
function oursOf({ outcomes }: ScenarioResult): Outcome | undefined {
  return outcomes.find(({ contender }) => contenders[contender].ours)
}
