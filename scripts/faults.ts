/**
 * `npm run test:faults`: real faults on a real Redis and real processes, one row after the other, with what each has shown. `--row redis-killed` runs one,
 * `--short` the forms of `npm test`, `--write` puts what was run into the table of docs/reliability.md. Ends with 1 when something does not hold.
 */
import { problemsOf, type Measured, type Row, type Size } from '../test/faults/measured.ts'
import { rows } from '../test/faults/rows.ts'
import { listed } from '../test/histories/describe-history.ts'
import { describeMachine, readSection, writeSection } from './reliability-page.ts'
import { findProgram } from './find-redis.ts'
import { off, readFlags, refuse, texts } from './flags.ts'

const names = rows.map(({ name }) => name)
const help = `npm run test:faults -- [flags]

Real faults on a real Redis and real processes, one row after the other, with what each has shown.

  --row <name>  runs this one; may be given again. There are ${names.join(', ')}
  --short       the short forms that npm test runs
  --write       puts what was run into the table of docs/reliability.md

Ends with 1 when something does not hold.`
const flags = readFlags(help, { row: texts, short: off, write: off })
const wanted = flags.row
const unknown = (wanted ?? []).filter(name => !names.includes(name))
if (unknown.length > 0) refuse(`there is no row ${unknown.join(', ')}; there are ${names.join(', ')}`)
const size: Size = flags.short ? 'short' : 'full'

interface Shown {
  readonly name: string
  readonly title: string
  readonly recoveredFrom: string | undefined
  readonly measured: Measured
  readonly problems: readonly string[]
}

async function runRow(row: Row, place: string): Promise<Shown> {
  const { name, title, recoveredFrom } = row
  process.stderr.write(`${place} ${title} ... `)
  const startedAt = performance.now()
  const measured = await row.run(size)
  const problems = problemsOf(measured)
  process.stderr.write(
    `${problems.length === 0 ? 'holds' : 'DOES NOT HOLD'} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`,
  )
  for (const problem of problems) process.stderr.write(`  ${problem}\n`)
  return { name, title, recoveredFrom, measured, problems }
}

/** One line of the table for each row. */
function lines(shown: readonly Shown[]): readonly (readonly [name: string, line: string])[] {
  return shown.map(({ name, title, recoveredFrom, measured, problems }) => {
    const { counts, loads, failedReads, errors, recoveryMs, notes, notPromised } = measured
    const bounds = loads.map(({ when, most, allowed }) => `${most}${allowed === Infinity ? '' : ` of ${allowed}`} ${when}`)
    const refused = Object.fromEntries(Object.entries(errors).filter(([error]) => !error.startsWith('get')))
    const told = counts.failedInvalidations === 0 ? '0' : `${counts.failedInvalidations} (${listed(refused)})`
    const recovery = recoveryMs === undefined ? '–' : `${recoveryMs.toFixed(0)} ms ${recoveredFrom ?? ''}`
    const safety =
      notPromised === undefined
        ? `${counts.violations} in ${counts.reads.toLocaleString('en')} reads`
        : `not promised: ${notPromised}`
    const cells = [
      `${title} (\`${name}\`)`,
      problems.length === 0 ? 'yes' : `**no**: ${problems.length}`,
      safety,
      [...new Set(bounds)].join('; ') || '–',
      String(failedReads),
      told,
      recovery.trim(),
      notes.join('; '),
    ]
    return [name, `| ${cells.join(' | ')} |`] as const
  })
}

/** The rows that were run, and of the others what the page says already. */
function table(shown: readonly Shown[]): string {
  const told = readSection('faults').split('\n')
  const fresh = new Map(lines(shown))
  const body = rows.flatMap(({ name }) => fresh.get(name) ?? told.find(line => line.includes(`(\`${name}\`)`)) ?? [])
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...body].join('\n')
}

const head = [
  'fault',
  'holds',
  'violations',
  'most loads of a key',
  'failed reads',
  'writes deferred or failed',
  'recovery',
  'besides',
]

async function main(): Promise<number> {
  const found = await findProgram()
  if (found.kind === 'none') {
    process.stderr.write(`${found.advice}\n`)
    return 1
  }
  process.env['REDIS_SERVER'] = found.path
  const chosen = rows.filter(({ name }) => wanted === undefined || wanted.includes(name))
  const shown: Shown[] = []
  for (const [index, row] of chosen.entries()) shown.push(await runRow(row, `${index + 1}/${chosen.length}`))
  process.stdout.write(
    `${lines(shown)
      .map(([, line]) => line)
      .join('\n')}\n`,
  )
  if (flags.write) writeSection('faults', `${describeMachine(found.version)}\n\n${table(shown)}`)
  return shown.every(({ problems }) => problems.length === 0) ? 0 : 1
}

process.exitCode = await main()
