/**
 * `npm run test:outages`: Redis goes away in several ways under 500 requests/s on 200 hot keys, and what callers and the source notice of it. `--row stopped` runs one,
 * `--short` a short form, `--write` puts what was run into the table of docs/failure-modes.md. Ends with 1 when something does not hold.
 */
import { rows, type Row, type Shown } from '../test/outages/rows.ts'
import { findProgram } from './find-redis.ts'
import { off, readFlags, refuse, texts } from './flags.ts'
import { describeMachine, readSection, writeSection } from './reliability-page.ts'

const page = 'docs/failure-modes.md'
const names = rows.map(({ name }) => name)
const help = `npm run test:outages -- [flags]

Redis goes away in several ways under 500 requests/s on 200 hot keys, and what callers and the source notice of it.

  --row <name>  runs this one; may be given again. There are ${names.join(', ')}
  --short       a short form
  --write       puts what was run into the table of ${page}

Ends with 1 when something does not hold.`
const flags = readFlags(help, { row: texts, short: off, write: off })
const unknown = (flags.row ?? []).filter(name => !names.includes(name))
if (unknown.length > 0) refuse(`there is no row ${unknown.join(', ')}; there are ${names.join(', ')}`)

const head = [
  'fault',
  'holds',
  'errors',
  'slowest call beyond its load',
  'loads of a key per process and outage ttl',
  'back after',
  'besides',
]

function lineOf({ name, title }: Row, { seen, recoveryMs, notes, problems }: Shown): string {
  const errors = seen.flatMap(({ errors: each }) => Object.entries(each)).map(([code, count]) => `${count} ${code}`)
  const calls = seen.reduce((sum, each) => sum + each.calls, 0)
  const cells = [
    `${title} (\`${name}\`)`,
    problems.length === 0 ? 'yes' : `**no**: ${problems.length}`,
    `${errors.length === 0 ? '0' : errors.join(', ')} of ${calls.toLocaleString('en')}`,
    `${Math.max(...seen.map(({ overMs }) => overMs)).toFixed(0)} ms`,
    String(Math.max(...seen.map(({ mostLoadsPerTtl }) => mostLoadsPerTtl))),
    recoveryMs === undefined ? '–' : `${recoveryMs.toFixed(0)} ms`,
    notes.join('; '),
  ]
  return `| ${cells.join(' | ')} |`
}

async function main(): Promise<number> {
  const found = await findProgram()
  if (found.kind === 'none') {
    process.stderr.write(`${found.advice}\n`)
    return 1
  }
  process.env['REDIS_SERVER'] = found.path
  const chosen = rows.filter(({ name }) => flags.row === undefined || flags.row.includes(name))
  const lines = new Map<string, string>()
  let held = true
  for (const each of chosen) {
    const shown = await each.run(flags.short ? 'short' : 'full')
    lines.set(each.name, lineOf(each, shown))
    process.stdout.write(`${lineOf(each, shown)}\n`)
    for (const problem of shown.problems) process.stderr.write(`  ${problem}\n`)
    held &&= shown.problems.length === 0
  }
  if (flags.write) {
    const told = readSection('outages', page).split('\n')
    const body = rows.flatMap(({ name }) => lines.get(name) ?? told.find(line => line.includes(`(\`${name}\`)`)) ?? [])
    const table = [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...body].join('\n')
    writeSection('outages', `${describeMachine(found.version)}\n\n${table}`, page)
  }
  return held ? 0 : 1
}

process.exitCode = await main()
