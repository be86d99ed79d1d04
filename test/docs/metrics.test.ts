import { describe, expect, it } from 'vitest'
import type { CacheEventName } from '../../src/core/events.ts'
import { metricDefinitions, type MetricName } from '../../src/observe/metrics/definitions.ts'
import { redisMetrics } from '../../src/observe/prometheus/redis-metrics.ts'
import { page, plain, sections, tableRows } from './pages.ts'
import { eventFields } from './source-facts.ts'

const shown = sections(page('docs/metrics.md'))
const rowsOf = (heading: string): string[][] => tableRows(shown.get(heading) ?? '').map(cells => cells.map(plain))

describe('docs/metrics.md', () => {
  it('lists every metric of a cache, and no other, with its kind, labels and meaning', () => {
    const wanted = Object.entries(metricDefinitions).map(([name, { kind, perResource, choice, help }]) => {
      const choices = choice === undefined ? [] : [`${choice.label}: ${choice.values.join(', ')}`]
      return [name, kind, ['cache', ...(perResource === true ? ['resource'] : []), ...choices].join('; '), help]
    })
    expect(rowsOf('Cache metrics')).toEqual(wanted)
    expect(wanted.length).toBeGreaterThan(20)
  })

  it('lists every metric of Redis, and no other', () => {
    const wanted = Object.entries(redisMetrics).map(([name, { kind, help }]) => [name, kind, help])
    expect(rowsOf('Redis metrics')).toEqual(wanted)
  })
})

describe('what the metrics tell apart', () => {
  const told: readonly (readonly [metric: MetricName, event: CacheEventName, field: string, more: readonly string[]])[] = [
    ['cache_misses_total', 'miss', 'outcome', ['absent']],
    ['cache_stale_total', 'stale', 'reason', []],
    ['cache_errors_total', 'store-error', 'code', []],
    ['cache_serialization_errors_total', 'decode-error', 'reason', ['encode']],
    ['cache_background_refreshes_total', 'refresh', 'outcome', []],
    ['cache_loads_total', 'load', 'outcome', []],
    ['cache_commits_total', 'commit', 'outcome', []],
    ['cache_lease_renewals_total', 'renewal', 'outcome', []],
    ['cache_sets_total', 'set', 'outcome', []],
    ['cache_invalidations_total', 'invalidate', 'operation', []],
    ['cache_connection_losses_total', 'connection', 'part', []],
    ['cache_breaker_trips_total', 'breaker', 'reason', []],
    ['cache_journal_changes_total', 'journal', 'change', []],
  ]
  const events = eventFields()

  it.each(told)('%s: what %s may be in its %s', (metric, event, field, more) => {
    const choices = events.get(event)?.find(({ name }) => name === field)?.choices ?? []
    expect(choices.length).toBeGreaterThan(0)
    expect(metricDefinitions[metric].choice?.values.toSorted()).toEqual([...choices, ...more].toSorted())
  })
})
