import { Closing } from './closing.ts'
import { playAll, setStage } from './demo.ts'
import { interrupted, within } from './bounds.ts'
import { type Flags, parseFlags, usage } from './flags.ts'
import { paintFor } from './paint.ts'
import { Progress } from './progress.ts'
import { failures, json, reading, table } from './report.ts'

/** Whatever goes wrong, the demo ends. Setting the stage may have to install a Redis first. */
const longestStartMs = 180_000
const longestPlayMs = 90_000

try {
  const flags = parseFlags()
  if (flags.help) console.log(usage)
  else process.exitCode = await run(flags)
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`)
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
  const stage = await within(longestStartMs, 'starting', setStage(flags, closing, progress))
  const scenes = await within(longestPlayMs, 'playing', playAll(stage, progress))
  const failed = failures(scenes)
  if (flags.json) {
    console.log(json(stage.setting, scenes))
  } else {
    const paint = paintFor(process.stdout)
    progress.line()
    progress.line(table(scenes, paint))
    progress.line(paint('dim', 'A call waited when it took at least half as long as the source. p50, p99: over all calls.'))
    for (const line of failed) progress.line(paint('red', line))
    progress.line(paint('bold', reading(scenes)))
  }
  return failed.length === 0 ? 0 : 1
}
