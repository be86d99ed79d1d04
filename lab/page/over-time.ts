import { milliseconds } from '../../demo/paint.ts'
import type { ScenarioResult } from '../results.ts'
import type { Timeline } from '../timeline.ts'
import { logScale, type Scale, steps } from './scale.ts'
import { n, type Picture } from './picture.ts'

const width = 460
const height = 222
const left = 62
const right = 12
const top = 40
const bottom = 198

/** The slowest of 100 reads, slice by slice. */
export function latencyOverTime(result: ScenarioResult): Picture {
  const values = result.outcomes.flatMap(({ figures }) => figures.timeline.p99Ms.filter(value => value !== null))
  const scale = logScale(values, bottom, top, 0.1)
  const caption = 'p99 of the reads over time. Each line up is ten times slower.'
  return overTime(result, caption, scale, milliseconds, timeline => timeline.p99Ms)
}

export function queriesOverTime(result: ScenarioResult): Picture {
  const perSecond = ({ queries, stepMs }: Timeline): number[] => queries.map(each => (each * 1000) / stepMs)
  const values = result.outcomes.flatMap(({ figures }) => perSecond(figures.timeline))
  const scale = logScale([1, ...values], bottom, top, 1)
  const caption = 'Database queries per second over time. Each line up is ten times more.'
  return overTime(result, caption, scale, value => value.toLocaleString('en-US'), perSecond)
}

function overTime(
  { scenario, outcomes }: ScenarioResult,
  caption: string,
  scale: Scale,
  show: (value: number) => string,
  pick: (timeline: Timeline) => readonly (number | null)[],
): Picture {
  const { durationMs, burst } = scenario.traffic
  const x = (atMs: number): number => left + (atMs / durationMs) * (width - right - left)
  const marks = scale.marks.map(mark => {
    const y = n(scale.at(mark))
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/>
    <text class="axis" x="${left - 6}" y="${n(scale.at(mark) + 4)}" text-anchor="end">${show(mark)}</text>`
  })
  const ticks = steps(durationMs / 1000).map(
    second => `<text class="axis" x="${n(x(second * 1000))}" y="${bottom + 16}" text-anchor="middle">${second} s</text>`,
  )
  const incidents = scenario.incidents.map(({ at, does }, index) => {
    const line = n(x(at * durationMs))
    const text = `<text class="note" x="${n(x(at * durationMs) + 4)}" y="${top - 26 + 13 * (index % 2)}">${does}</text>`
    return `<line class="incident" x1="${line}" x2="${line}" y1="${top - 34}" y2="${bottom}"/>${text}`
  })
  const shade =
    burst === undefined
      ? ''
      : `<rect class="shade" x="${n(x(burst.fromMs))}" y="${top}" width="${n(x(burst.untilMs) - x(burst.fromMs))}" height="${bottom - top}"/>
    <text class="note" x="${n(x(burst.fromMs) + 4)}" y="${top - 6}">${burst.factor} times the traffic</text>`
  const lines = outcomes.map(({ contender, figures }) => {
    const points = pick(figures.timeline)
    return `<path class="line c-${contender}" d="${pathOf(points, index => x(((index + 0.5) / points.length) * durationMs), scale)}"/>`
  })
  const inside = `${shade}${marks.join('')}${ticks.join('')}${incidents.join('')}${lines.join('')}`
  return { label: `${caption} ${scenario.title}`, caption, width, height, inside }
}

function pathOf(points: readonly (number | null)[], x: (index: number) => number, scale: Scale): string {
  let path = ''
  let pen = 'M'
  for (const [index, point] of points.entries()) {
    if (point === null) {
      pen = 'M'
      continue
    }
    path += `${pen}${n(x(index))} ${n(scale.at(point))}`
    pen = 'L'
  }
  return path
}
