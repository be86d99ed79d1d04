import { detectionMs } from './copy-watch.ts'
import type { CallRecord, Invalidation } from './history.ts'
import { shortestMs } from './network.ts'
import type { SimulatedProcess } from './process.ts'
import type { Violation } from './world.ts'

/** Times are multiples of 1/256 ms, and what begins at one moment is told apart by less. */
const grainMs = 0.01

/**
 * A copy may answer what others have revoked, but not for longer than P3 says, and nothing that its own process revoked.
 *
 * @param revoked The acknowledged invalidations of the value.
 */
export function brokenByCopy(
  process: SimulatedProcess,
  call: CallRecord,
  revoked: readonly Invalidation[],
): Violation | undefined {
  const { copies, name } = process
  const distrusted = copies?.brokenByTrust(call)
  if (distrusted !== undefined) return distrusted
  const mostMs = mostBehindMs(process)
  for (const invalidation of revoked) {
    const behindMs = call.beganAt - invalidation.everywhereAt
    if (invalidation.process === name) {
      const text = `call ${call.nth} of ${name} for ${call.key} was answered by a copy that its own ${invalidation.kind} had revoked`
      return { rule: 'P3: own writes apply at once', text }
    }
    if (behindMs < mostMs + grainMs) continue
    const text = `call ${call.nth} of ${name} for ${call.key} was answered by a copy ${behindMs.toFixed(1)} ms after the ${invalidation.kind} of ${invalidation.process} had resolved, and ${mostMs} ms is the most`
    return { rule: 'P3', text }
  }
  return undefined
}

/** The answer was allowed: by how much was it behind? */
export function countBehind({ world: { coverage } }: SimulatedProcess, call: CallRecord, revoked: readonly Invalidation[]): void {
  for (const { everywhereAt } of revoked) {
    coverage.count('copy behind an acknowledged revocation')
    coverage.measure('ms that a copy was behind a revocation at worst', call.beganAt - everywhereAt)
  }
}

/** Without faults the message is there before long. Whether a pulse is young can only be told by a clock that nobody sets. */
function mostBehindMs({ world, plan, pausedMs }: SimulatedProcess): number {
  if (world.plan.calm) return shortestMs + world.plan.weather.wakeMs
  const { local, commandTimeout } = plan.options
  // A copy's ttl begins when it is made. By then the read that it comes from, and the look at its tags, may have taken that long.
  const ttlMs = Number(local?.ttl) + 2 * Number(commandTimeout) + pausedMs
  return world.server.clockStepped ? ttlMs : Math.min(ttlMs, detectionMs)
}
