import type { RenewRequest } from '../../src/index.ts'
import type { LoadRecord } from './history.ts'
import type { GetOrSetOp } from './plan.ts'
import type { SimulatedProcess } from './process.ts'
import { tableId } from './server.ts'
import type { World } from './world.ts'

/** A loader was called. Without faults only one may run per key, and none while a value is fresh. */
export function loadBegan(process: SimulatedProcess, op: GetOrSetOp): LoadRecord {
  const { world } = process
  const { loads } = world.history
  const id = tableId(op)
  const last = process.waiting.justAnswered(id)
  const forced = op.options.forceFresh === true
  const options = { ...process.plan.options, ...op.options }
  const load: LoadRecord = {
    nth: loads.length,
    process: process.name,
    key: op.key,
    version: op.version,
    beganSeq: world.nextSeq(),
    beganAt: world.now,
    forced,
    refresh: last?.kind === 'granted' && !last.wait,
    hardMs: Number(options.timeout?.hard),
    leaseMs: Number(options.lease),
    pausedBeforeMs: process.pausedMs,
    tags: [...(options.tags ?? []), ...op.loader.addsTags],
    outage: last?.kind !== 'granted' && last?.kind !== 'unqueued',
    grant: last?.kind === 'granted' ? last.grant : undefined,
    endedSeq: undefined,
    outcome: 'running',
    uncacheable: false,
  }
  process.countLoads(id, 1)
  world.note(
    process.name,
    () => `  load ${load.nth} of ${op.version}:${op.key} begins (${op.loader.kind}, ${op.loader.takesMs.toFixed(0)} ms)`,
  )
  world.remember(load.nth)
  if (world.plan.calm) {
    if (load.grant !== undefined) checkOnce(world, load, id)
    else if (last?.kind !== 'unqueued') {
      world.violate('P1', `load ${load.nth} of ${op.key} ran without a lease though nothing was wrong`)
    }
  }
  loads.push(load)
  return load
}

export function loadEnded(process: SimulatedProcess, load: LoadRecord, outcome: 'value' | 'nothing' | 'failed'): void {
  const { world } = process
  if (load.outcome !== 'running') return
  load.outcome = outcome
  load.endedSeq = world.nextSeq()
  const id = tableId(load)
  process.countLoads(id, -1)
  world.note(process.name, () => `  load ${load.nth} ends: ${outcome}`)
  if (!world.plan.calm || world.over || load.grant === undefined) return
  const { token } = load.grant
  world.scheduler.after(world.plan.weather.requestMs + 2, () => {
    if (process.closed || world.server.tables.holderAt(id, world.server.now)?.equals(token) !== true) return
    world.violate('no lease outlives its load', `load ${load.nth} of ${load.key} has ended, its lease is still held`)
  })
}

/** A load that hangs keeps its lease for two hard timeouts, and no longer. */
export function renewing(process: SimulatedProcess, request: RenewRequest): void {
  const { world } = process
  const load = world.history.loads.findLast(each => each.grant?.token.equals(request.token) === true)
  if (load === undefined) return
  const ranMs = world.now - load.beganAt - (process.pausedMs - load.pausedBeforeMs)
  if (ranMs > 2 * load.hardMs + 1) {
    world.violate(
      'P4',
      `the lease of ${load.key} is renewed for load ${load.nth}, which has been running for ${ranMs.toFixed(0)} ms`,
    )
  }
}

function checkOnce(world: World, load: LoadRecord, id: string): void {
  const { grant } = load
  if (grant === undefined) return
  for (const earlier of world.history.loads) {
    if (earlier.grant === undefined || tableId(earlier) !== id) continue
    // A load that was revoked is no reason not to load again.
    if (world.watch.wasRevokedSince(id, Math.min(earlier.grant.seq, grant.seq))) continue
    const runs = earlier.endedSeq === undefined || earlier.endedSeq > grant.seq
    if (runs) {
      const ranMs = grant.at - earlier.beganAt
      if (ranMs >= 2 * earlier.hardMs) continue
      return world.violate(
        'P1',
        `load ${load.nth} of ${load.key} began while load ${earlier.nth} was running for ${ranMs.toFixed(0)} ms`,
      )
    }
  }
  const stored = world.watch.lastStored(id)
  if (stored === undefined || load.forced || load.refresh) return
  if (world.watch.wasRevokedSince(id, stored.seq) || world.watch.wasBumpedSince(stored.stamp)) return
  if (stored.seq < grant.seq && grant.serverMs < stored.freshUntil) {
    world.violate('P1', `load ${load.nth} of ${load.key} ran though a fresh value was stored`)
  }
}
