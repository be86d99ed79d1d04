/**
 * `npm run test:sim -- --seeds 1000000`: plays that many schedules of the simulated fleet, in several processes, with progress.
 * `--from N` starts elsewhere, `--workers N` takes more or fewer processes (2 by default). `--replay SEED` plays one, and if it fails shrinks it and
 * tells who did what. Ends with 1 when something broke, when too many schedules were too short, and when 10,000 or more did not reach everything.
 */
import { explain, isSound } from '../test/simulation/explain.ts'
import { playSeeds } from '../test/simulation/play-seeds.ts'
import type { SeedsResult } from '../test/simulation/run-seeds.ts'
import { enoughToReachAll, shortcomings } from '../test/simulation/shortcomings.ts'
import { readFlags, whole } from './flags.ts'

const help = `npm run test:sim -- [flags]

Plays schedules of a simulated fleet, each from its seed, and looks for what breaks a promise.

  --seeds <n>     how many (10000)
  --from <seed>   where to begin (1)
  --workers <n>   in so many processes (2)
  --replay <seed> plays this one alone; if it breaks something, shrinks it and tells who did what

Ends with 1 when something broke, when too many schedules were too short,
and when 10,000 or more did not reach everything.`
const flags = readFlags(help, {
  seeds: whole(1, 10_000),
  from: whole(0, 1),
  workers: whole(1, 2),
  replay: whole(0, undefined),
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const barWidth = 40
const plainProgressEvery = 25_000

async function replay(seed: number): Promise<number> {
  const text = await explain(seed)
  say(text)
  return isSound(text) ? 0 : 1
}

async function simulate(from: number, seeds: number, workers: number): Promise<number> {
  const startedAt = performance.now()
  const progress = new Progress(seeds, startedAt)
  let broken = 0
  const result = await playSeeds({ from, to: from + seeds }, workers, played => {
    broken += played.failures.length
    // At once: whoever watches a long run need not wait for its end to replay them.
    for (const { seed, rule } of played.failures) progress.say(`seed ${seed} breaks ${rule}`)
    progress.advance(played.played, broken)
  })
  progress.clear()
  const { played, failures, coverage } = result
  say(coverage.report())
  const lacking = failures.length > 0 ? [] : shortcomings(result)
  for (const each of lacking) say(each)
  for (const { seed, rule, text } of failures) say(`seed ${seed} breaks ${rule}: ${text}`)
  const [failure] = failures
  if (failure !== undefined) say(await explain(failure.seed))
  const seconds = (performance.now() - startedAt) / 1000
  say(
    `${inAll(played, seeds, failures.length)} from ${from} in ${seconds.toFixed(0)} s: ${failures.length} violations${reach(result, lacking)}`,
  )
  return failures.length + lacking.length === 0 ? 0 : 1
}

/** How many were played: after some failures no more are. */
function inAll(played: number, seeds: number, failures: number): string {
  return played < seeds && failures > 0 ? `stopped after ${played} of ${seeds} seeds` : `${played} seeds`
}

function reach({ played, failures }: SeedsResult, lacking: readonly string[]): string {
  if (failures.length > 0) return '; what was reached is not judged'
  if (lacking.length > 0) return ', and it shows less than it should: see above'
  return played < enoughToReachAll ? `; what was reached is judged from ${enoughToReachAll} seeds on` : ', everything was reached'
}

/** A bar on a terminal, a line now and then elsewhere. */
class Progress {
  readonly #all: number
  readonly #startedAt: number
  #done = 0
  #told = 0

  constructor(all: number, startedAt: number) {
    this.#all = all
    this.#startedAt = startedAt
  }

  advance(seeds: number, failures: number): void {
    this.#done += seeds
    const share = this.#done / this.#all
    const elapsedMs = performance.now() - this.#startedAt
    const leftS = ((elapsedMs / share - elapsedMs) / 1000).toFixed(0)
    const text = `${this.#done} of ${this.#all} schedules, ${failures} violations, ${leftS} s left`
    if (process.stdout.isTTY) {
      const filled = Math.round(share * barWidth)
      process.stdout.write(`\r\x1b[K[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${text}`)
    } else if (this.#done - this.#told >= plainProgressEvery) {
      this.#told = this.#done
      say(text)
    }
  }

  say(line: string): void {
    this.clear()
    say(line)
  }

  clear(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  }
}

process.exitCode =
  flags.replay === undefined ? await simulate(flags.from, flags.seeds, flags.workers) : await replay(flags.replay)
