import { writeFile } from 'node:fs/promises'
import { interrupted, within } from '../demo/bounds.ts'
import { Closing } from '../demo/closing.ts'
import { paintFor } from '../demo/paint.ts'
import { type Flags, parseFlags, usage } from './flags.ts'
import { playAll } from './lab.ts'
import { page } from './page/page.ts'
import { writePictures } from './page/write-pictures.ts'
import { Progress } from './progress.ts'
import type { LabResult } from './results.ts'
import { scenarioOf } from './scenarios.ts'
import { findings } from './findings.ts'
import { table } from './terminal-table.ts'

/** What a run takes at most besides its traffic: starting, stopping, the last answers. */
const longestAroundMs = 60_000

try {
  const flags = parseFlags()
  if (flags.help) console.log(usage)
  else process.exitCode = await run(flags)
} catch (error) {
  console.error(`lab: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function run(flags: Flags): Promise<number> {
  const closing = new Closing()
  const progress = new Progress(flags.json ? process.stderr : process.stdout)
  try {
    return await Promise.race([show(flags, closing, progress), interrupted()])
  } finally {
    progress.passing('Stopping what was started ...')
    await closing.closeAll()
    progress.close()
    // Nothing is left to wait for; should a socket linger all the same, it does not hold the terminal.
    setTimeout(() => process.exit(), 2000).unref()
  }
}

async function show(flags: Flags, closing: Closing, progress: Progress): Promise<number> {
  const result = await within(longestMs(flags), 'the lab', playAll(flags, closing, progress))
  if (flags.html !== undefined) await writeFile(flags.html, page(result))
  if (flags.pictures !== undefined) await writePictures(flags.pictures, result)
  if (flags.json) console.log(json(result))
  else tell(result, progress)
  if (flags.html !== undefined) progress.line(`The report with its charts: ${flags.html}`)
  return 0
}

function tell(result: LabResult, progress: Progress): void {
  const paint = paintFor(process.stdout)
  for (const each of result.results) progress.line(table(each, paint))
  const { shown, notBest, disturbed } = findings(result)
  for (const finding of disturbed) progress.line(paint('yellow', `! ${finding}`))
  for (const finding of shown) progress.line(`- ${finding}`)
  progress.line(
    paint(
      'bold',
      notBest.length === 0
        ? 'Leasehold was best, or equal, in every figure.'
        : 'Where Leasehold was not best (its figure, then the better ones):',
    ),
  )
  for (const finding of notBest) progress.line(`- ${finding}`)
}

function longestMs({ settings, scenarios, contenders }: Flags): number {
  const each = scenarios.map(id => {
    const { traffic, warmUpMs } = scenarioOf(id, settings)
    return warmUpMs + traffic.durationMs + 2 * settings.timeoutMs + longestAroundMs
  })
  return longestAroundMs + each.reduce((sum, ms) => sum + ms, 0) * contenders.length * settings.rounds
}

/** Enough digits for whoever draws or compares. */
function json(result: LabResult): string {
  const { shown, notBest, disturbed } = findings(result)
  return JSON.stringify(
    { ...result, findings: shown, notBest, disturbed },
    (_key, value: unknown) => (typeof value === 'number' ? Math.round(value * 1e6) / 1e6 : value),
    2,
  )
}
