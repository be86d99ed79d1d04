import { fork, type ChildProcess } from 'node:child_process'
import { Coverage } from './coverage.ts'
import type { Failure, SeedsResult } from './run-seeds.ts'
import type { PlayedSeeds, SeedRange } from './seed-player.ts'

const seedsAtOnce = 250
const mostFailures = 5

/**
 * Plays seeds in several processes and adds up what they found. Stops after a few failures.
 *
 * @param onPlayed Told after each few seeds, in whichever order they end.
 */
export async function playSeeds(
  { from, to }: SeedRange,
  processes: number,
  onPlayed: (played: PlayedSeeds) => void = () => {},
): Promise<SeedsResult> {
  const coverage = new Coverage()
  const failures: Failure[] = []
  let [next, all] = [from, 0]
  const work = async (player: ChildProcess): Promise<void> => {
    try {
      while (next < to && failures.length < mostFailures) {
        const first = next
        next = Math.min(to, first + seedsAtOnce)
        const played = await ask(player, { from: first, to: next })
        coverage.add(played)
        failures.push(...played.failures)
        all += played.played
        onPlayed(played)
      }
    } finally {
      if (player.connected) player.disconnect()
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, processes) }, () => work(startPlayer())))
  return { played: all, failures, coverage }
}

function startPlayer(): ChildProcess {
  return fork(new URL('seed-player.ts', import.meta.url), { execArgv: ['--import', 'tsx'] })
}

function ask(player: ChildProcess, range: SeedRange): Promise<PlayedSeeds> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`a process ended (${code}) while it played seeds ${range.from} to ${range.to}`))
    player.once('exit', onExit)
    player.once('message', (played: PlayedSeeds) => {
      player.off('exit', onExit)
      resolve(played)
    })
    player.send(range)
  })
}
