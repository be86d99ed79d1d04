import type { Counts } from './checker.ts'
import type { HistoryResult } from './run-history.ts'

/** What a run has shown, in lines of text. */
export function describeHistory({ findings, tookMs, events, errors, unhandled }: HistoryResult): string {
  const { counts, violations } = findings
  const perSecond = counts.operations / (tookMs / 1000)
  return [
    `${n(counts.operations)} operations in ${(tookMs / 1000).toFixed(0)} s (${n(Math.round(perSecond))} a second): ${n(counts.reads)} reads, ${n(counts.invalidations)} invalidations (${n(counts.broadInvalidations)} of tags or of everything); ${n(counts.loads)} loads`,
    ...describeCounts(counts),
    `events: ${listed(events)}`,
    `errors that callers saw: ${listed(errors)}`,
    ...unhandled,
    ...violations.map(({ text }) => text),
    `violations: ${counts.violations}`,
  ].join('\n')
}

export function describeCounts(counts: Readonly<Counts>): string[] {
  const { copiesBehind, mostBehindMs } = counts
  return [
    `reads that overlapped an invalidation of their key: ${ofAll(counts.readsOverlapping, counts.reads)}`,
    `loads that did: ${ofAll(counts.loadsOverlapping, counts.loads)}`,
    `reads that began while a load that an acknowledged invalidation had revoked was still running: ${ofAll(counts.readsBesideRevokedLoads, counts.reads)}`,
    `answers vouched for by Redis: ${ofAll(counts.vouched, counts.reads)}; stale: ${n(counts.stale)}; of an outage: ${n(counts.outage)}; by copies: ${ofAll(counts.copy, counts.reads)}; without a value: ${n(counts.none)}`,
    ...(counts.copy === 0
      ? []
      : [`copies behind what another process had revoked: ${n(copiesBehind)}, at worst for ${mostBehindMs.toFixed(1)} ms`]),
    `invalidations that told their caller they failed: ${n(counts.failedInvalidations)}; answers from a set whose end is unknown: ${n(counts.unjudged)}`,
  ]
}

export function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).toSorted((a, b) => b[1] - a[1])
  return entries.length === 0 ? 'none' : entries.map(([name, count]) => `${name} ${n(count)}`).join(', ')
}

function n(count: number): string {
  return count.toLocaleString('en')
}

function ofAll(count: number, all: number): string {
  return `${n(count)} (${((100 * count) / Math.max(1, all)).toFixed(1)} %)`
}
