import { describe, expect, it } from 'vitest'
import { contenderIds } from '../../../lab/contenders/index.ts'
import { type Figures, figuresOf } from '../../../lab/figures.ts'
import { findings } from '../../../lab/findings.ts'
import { quantiles } from '../../../lab/page/charts.ts'
import { page } from '../../../lab/page/page.ts'
import { style } from '../../../lab/page/style.ts'
import { svgFile } from '../../../lab/page/picture.ts'
import { type LabResult, outcomeOf } from '../../../lab/results.ts'
import { scenarioIds, scenarioOf } from '../../../lab/scenarios.ts'
import { quickSettings } from '../../../lab/settings.ts'

const loads = { beganAt: Float64Array.of(1000.5), endedAt: Float64Array.of(1060.5), product: Uint32Array.of(1) }

/** Three reads of 2, 70 and 2 ms; the last was given up. */
function figures(): Figures {
  const scenario = scenarioOf('steady', quickSettings)
  const record = {
    dueMs: Float64Array.of(1, 2, 3),
    askedMs: Float64Array.of(1, 2, 3),
    doneMs: Float64Array.of(3, 72, 5),
    product: Uint32Array.of(1, 1, 2),
    write: Uint8Array.of(0, 0, 0),
    version: Uint32Array.of(1, 1, 0),
    deferred: Uint8Array.of(0, 0, 0),
    cpuMs: 1,
    firstFailure: '<timeout>',
  }
  const service = { loads, reads: 3, misses: 1, cpuMs: 1, heapGrowthBytes: 0 }
  const redis = { commands: 3, cpuMs: 1, usedBytes: 1e6, fragmentation: 1.1 }
  return figuresOf({ settings: quickSettings, scenario, startAt: 1000, records: [record], services: [service], redis })
}

const machine = { date: '2026-01-02', cores: 2, cpu: 'a <cpu>', loadBefore: 0, node: 'v20', redis: '7', postgres: 'embedded' }

function resultOf(change: (id: string, own: Figures) => Figures = (_, own) => own): LabResult {
  const results = scenarioIds.map(id => ({
    scenario: scenarioOf(id, quickSettings),
    outcomes: contenderIds.map(contender => outcomeOf(contender, [change(contender, figures())])),
  }))
  return { machine, settings: quickSettings, quick: true, tookMs: 1000, results }
}

describe('the figures of a run', () => {
  it('count what the requests and the services tell', () => {
    expect(figures()).toMatchObject({
      reads: 3,
      failedReads: 1,
      waited: 1,
      databaseQueries: 1,
      peakConcurrentQueries: 1,
      hitRatio: expect.closeTo(2 / 3) as number,
    })
    expect(figures().p50Ms).toBeCloseTo(2, 1)
    expect(figures().p99Ms).toBeCloseTo(70, 0)
  })
})

describe('the report', () => {
  it('is a page that asks for nothing from elsewhere and escapes what it shows', () => {
    const html = page(resultOf())
    expect(html).not.toMatch(/<script|<link|<img|src=|url\(|https?:/)
    expect(html).not.toContain('<timeout>')
    expect(html).toContain('&lt;timeout&gt;')
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('shows every scenario and contender with charts', () => {
    const html = page(resultOf())
    for (const id of scenarioIds) expect(html).toContain(`<h2 id="${id}">`)
    expect(html.match(/<svg /g)).toHaveLength(4 * scenarioIds.length)
  })

  it('has charts that stand alone as files', () => {
    const file = svgFile(quantiles(resultOf().results[0]!))
    expect(file).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^]*<style>[^]*<\/svg>\n$/)
    expect(file).not.toMatch(/href|src=|url\(|<script|NaN/)
  })

  it('says where Leasehold was not best, and that it was if it was', () => {
    expect(findings(resultOf()).notBest).toEqual([])
    const slower = resultOf((id, own) => (id === 'leasehold' ? { ...own, p99Ms: 200 } : own))
    expect(findings(slower).notBest[0]).toMatch(/^Steady reads, Leasehold: p99 200 ms \(no cache 70 ms/)
    expect(page(slower)).toContain('p99 200 ms (no cache 70 ms')
  })

  it('says the same of Leasehold with a local tier, beside those who are not Leasehold', () => {
    const stale = resultOf((id, own) => (id === 'leasehold-trust' ? { ...own, stale: 3 } : own))
    expect(findings(stale).notBest[0]).toMatch(/^Steady reads, Leasehold, local tier: stale 3 \(.*stale-while-revalidate 0\)\.$/)
  })

  it('has a colour for every contender', () => {
    for (const id of contenderIds) {
      expect(style).toContain(`.c-${id} { color: var(--${id}); }`)
      expect(style.match(new RegExp(`--${id}: #`, 'g'))).toHaveLength(2)
    }
  })

  it('says which runs the machine disturbed', () => {
    const late = resultOf((id, own) => (id === 'swr' ? { ...own, sentLateP99Ms: 120 } : own))
    expect(findings(late).disturbed[0]).toContain('Steady reads, stale-while-revalidate')
    expect(page(late)).toContain('held up the load generators')
  })
})
