/**
 * `npm run test:mutation:score`: adds up what `npm run test:mutation` has found so far, in one run or in several of a folder each, and writes it into
 * docs/reliability.md. `--survivors` lists what no specification noticed instead, `--under src/core/flights` those of a folder or file.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { writeSection } from './reliability-page.ts'

const report = new URL('../.stryker/report.json', import.meta.url)

interface Mutant {
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: Place; readonly end: Place }
}

interface Place {
  readonly line: number
  readonly column: number
}

interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>
}

const { values: flags } = parseArgs({
  options: { survivors: { type: 'boolean', default: false }, under: { type: 'string', default: 'src/' } },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)

class Score {
  noticed = 0
  survived = 0
  untested = 0

  add({ status }: Mutant): void {
    if (status === 'Killed' || status === 'Timeout') this.noticed++
    else if (status === 'Survived') this.survived++
    else if (status === 'NoCoverage') this.untested++
  }

  row(name: string): string {
    const all = this.noticed + this.survived + this.untested
    const share = ((100 * this.noticed) / all).toFixed(1)
    return `| ${name} | ${all} | ${this.noticed} | ${this.survived} | ${this.untested} | ${share} % |`
  }
}

function table({ files }: Report): string {
  const folders = new Map<string, Score>()
  const total = new Score()
  for (const [file, { mutants }] of Object.entries(files)) {
    const folder = dirname(file)
    const score = folders.get(folder) ?? new Score()
    folders.set(folder, score)
    for (const mutant of mutants) for (const each of [score, total]) each.add(mutant)
  }
  const rows = [...folders].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return [
    '| folder | mutants | noticed | survived | reached by no specification | score |',
    '|---|---|---|---|---|---|',
    ...rows.map(([folder, score]) => score.row(`\`${folder}\``)),
    total.row('all'),
  ].join('\n')
}

function survivors({ files }: Report): void {
  for (const [file, { source, mutants }] of Object.entries(files)) {
    const lines = source.split('\n')
    for (const { status, mutatorName, replacement, location } of mutants) {
      if ((status !== 'Survived' && status !== 'NoCoverage') || !file.startsWith(flags.under)) continue
      const { start, end } = location
      const text = lines[start.line - 1] as string
      const planted = start.line === end.line ? text.slice(start.column - 1, end.column - 1) : `${text.slice(start.column - 1)} …`
      say(`${file}:${start.line} ${status} ${mutatorName}: ${planted} → ${(replacement ?? '').replaceAll(/\s+/g, ' ')}`)
    }
  }
}

function head(): string {
  const [hash, date] = execFileSync('git', ['log', '-1', '--format=%h %cs']).toString().trim().split(' ')
  return `Stryker 9.6.1, last run on commit ${hash} (${date}). Each file is counted as it stood when it was last mutated.`
}

const found = JSON.parse(readFileSync(report, 'utf8')) as Report
if (flags.survivors) survivors(found)
else {
  writeSection('mutation-score', `${head()}\n\n${table(found)}`)
  say(table(found))
}
