import { milliseconds } from '../../demo/paint.ts'
import { type ContenderId, contenders } from '../contenders/index.ts'
import type { ScenarioResult } from '../results.ts'
import { logScale, type Scale } from './scale.ts'
import { n, type Picture } from './picture.ts'

const width = 680
const labelled = 150

/** For each contender three marks on one line: p50, p99, p99.9. */
export function quantiles({ scenario, outcomes }: ScenarioResult): Picture {
  const rowHeight = 30
  const height = 6 + outcomes.length * rowHeight + 26
  const values = outcomes.flatMap(({ figures }) => [figures.p50Ms, figures.p99Ms, figures.p999Ms])
  const scale = logScale(values, labelled, width - 70, 0.1)
  const bottom = height - 26
  const rows = outcomes.map(({ contender, figures }, row) => {
    const y = 6 + row * rowHeight + rowHeight / 2
    const [p50, p99, p999] = [figures.p50Ms, figures.p99Ms, figures.p999Ms].map(scale.at) as [number, number, number]
    return `<g class="c-${contender}">${name(contender, y)}
      <line class="range" x1="${n(p50)}" x2="${n(p999)}" y1="${y}" y2="${y}"/>
      <circle cx="${n(p50)}" cy="${y}" r="4"/><rect x="${n(p99 - 5)}" y="${y - 5}" width="10" height="10"/>
      <path d="M${n(p999)} ${y - 6}l6 6l-6 6l-6-6z" class="hollow"/>
      <text class="value" x="${n(Math.max(p99, p999) + 12)}" y="${y + 4}">${milliseconds(figures.p99Ms)}</text></g>`
  })
  const caption =
    'How long reads took. ● half were faster (p50), ■ 99 of 100 were (p99, the number), ◇ 999 of 1,000 were (p99.9). Each line to the right is ten times slower.'
  const inside = `${verticalMarks(scale, 2, bottom)}${rows.join('')}`
  return { label: `How long reads took: ${scenario.title}`, caption, width, height, inside }
}

/** How many database queries each needed, as bars. */
export function queryBars({ scenario, outcomes }: ScenarioResult): Picture {
  const rowHeight = 26
  const height = 10 + outcomes.length * rowHeight
  const most = Math.max(1, ...outcomes.map(({ figures }) => figures.databaseQueries))
  const bars = outcomes.map(({ contender, figures }, row) => {
    const y = 5 + row * rowHeight
    const length = (figures.databaseQueries / most) * (width - labelled - 200)
    const share = `${(figures.readsAvoided * 100).toFixed(1)} % of reads avoided one`
    return `<g class="c-${contender}">${name(contender, y + rowHeight / 2)}
      <rect x="${labelled}" y="${y + 5}" width="${n(Math.max(1, length))}" height="${rowHeight - 10}"/>
      <text class="value" x="${n(labelled + length + 8)}" y="${y + rowHeight / 2 + 4}">${figures.databaseQueries.toLocaleString('en-US')} · ${share}</text></g>`
  })
  const caption = 'How many queries the database got.'
  return { label: `Database queries: ${scenario.title}`, caption, width, height, inside: bars.join('') }
}

function verticalMarks(scale: Scale, top: number, bottom: number): string {
  return scale.marks
    .map(
      mark => `<line class="grid" x1="${n(scale.at(mark))}" x2="${n(scale.at(mark))}" y1="${top}" y2="${bottom}"/>
      <text class="axis" x="${n(scale.at(mark))}" y="${bottom + 16}" text-anchor="middle">${milliseconds(mark)}</text>`,
    )
    .join('')
}

function name(contender: ContenderId, y: number): string {
  return `<text class="name" x="${labelled - 12}" y="${y + 4}" text-anchor="end">${contenders[contender].title}</text>`
}
