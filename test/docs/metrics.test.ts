import { describe, expect, it } from 'vitest'
import { metricDefinitions } from '../../src/observe/metrics/definitions.ts'
import { redisMetrics } from '../../src/observe/prometheus/redis-metrics.ts'
import { page, plain, sections, tableRows } from './pages.ts'

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
