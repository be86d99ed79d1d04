/** One process of `npm run test:sim`: plays the seeds it is told to and sends back what it found. */
import { runSeeds, type Failure } from '../test/simulation/run-seeds.ts'

export interface SimulatedSeeds {
  readonly from: number
  readonly to: number
  readonly failures: readonly Failure[]
  readonly counts: readonly (readonly [string, number])[]
  readonly longest: readonly (readonly [string, number])[]
}

process.on('message', ({ from, to }: { from: number; to: number }) => void play(from, to))

async function play(from: number, to: number): Promise<void> {
  const { failures, coverage } = await runSeeds(from, to)
  const done: SimulatedSeeds = { from, to, failures, counts: [...coverage.counts], longest: [...coverage.longest] }
  process.send?.(done)
}
