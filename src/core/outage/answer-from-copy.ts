import type { Call } from '../calls/call.ts'
import { StoreBudget } from '../calls/store-budget.ts'
import { absent } from '../calls/absent.ts'
import { decodeValue, recordBase, undecodable, type Engine } from '../engine.ts'
import { startFlight } from '../flights/flight-run.ts'
import type { OutageCopy } from './outage-copies.ts'

/** Answers a call whose store failed by what this process has loaded since: within its ttl, or while `staleIfError` lets it stand in, loading it again behind. */
export function answerFromCopy(engine: Engine, call: Call): unknown {
  const { copies } = engine.outage
  const copy = copies.find(call)
  if (copy === undefined) return absent
  const staleMs = copy.ageMs - copy.freshMs
  if (staleMs >= 0 && (!copy.standsIn || staleMs >= call.policy.staleIfErrorMs)) return absent
  const value = decodeValue(engine, call, copy.entry, call.policy.schema)
  if (value === undecodable) return absent
  const durationMs = engine.clock.now() - call.startedAt
  call.outcome = staleMs < 0 ? 'unleased' : 'stale'
  if (staleMs < 0) {
    if (engine.events.topics.miss.heard) engine.events.emit('miss', { ...recordBase(engine, call), outcome: 'kept', durationMs })
  } else {
    if (engine.events.topics.stale.heard) {
      const bytes = copy.entry.bytes.length
      engine.events.emit('stale', { ...recordBase(engine, call), reason: 'store-failed', staleMs, bytes, durationMs })
    }
    void loadBehind(engine, call, copy)
  }
  return value
}

async function loadBehind(
  engine: Engine,
  { id, key, version, loader, batch, policy }: Call,
  { entry }: OutageCopy,
): Promise<void> {
  const { refreshing } = engine.outage
  if (refreshing.has(id) || engine.phase !== 'open') return
  refreshing.add(id)
  const budget = new StoreBudget(engine.clock, 0, 0)
  // Its callers have their answer, so none of their signals ends it.
  const plan = {
    purpose: 'call',
    key: { key, version },
    id,
    loader,
    batch,
    policy,
    budget,
    seen: [],
    stale: entry,
    storeFailed: true,
    behind: true,
  } as const
  await startFlight(engine, plan, undefined).finished
  refreshing.delete(id)
}
