/** A process of its own that plays the seeds it is told to and sends back what it found. */
import { runSeeds, type Failure } from './run-seeds.ts'

export interface SeedRange {
  readonly from: number
  /** Not included. */
  readonly to: number
}

export interface PlayedSeeds extends SeedRange {
  readonly played: number
  readonly failures: readonly Failure[]
  readonly counts: readonly (readonly [string, number])[]
  readonly longest: readonly (readonly [string, number])[]
}

process.on('message', (range: SeedRange) => {
  play(range).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    process.exit(1)
  })
})

async function play({ from, to }: SeedRange): Promise<void> {
  const { played, failures, coverage } = await runSeeds(from, to)
  const result: PlayedSeeds = { from, to, played, failures, counts: [...coverage.counts], longest: [...coverage.longest] }
  process.send?.(result)
}
