import type { Call } from '../calls/call.ts'
import { StoreBudget } from '../calls/store-budget.ts'
import { absent } from '../calls/absent.ts'
import { decodeValue, recordBase, undecodable, type Engine } from '../engine.ts'
import { startFlight } from '../flights/flight-run.ts'
import { copiedValue } from '../local/answer-with-copy.ts'
import { unionOf } from '../tags/check-tags.ts'
import type { OutageCopy } from './outage-copies.ts'

/** Answers a call whose store failed by what this process has loaded since: within its ttl, or while `staleIfError` lets it stand in, loading it again behind. */
export function answerFromCopy(engine: Engine, call: Call): unknown {
  const { copies } = engine.outage
  const copy = copies.find(call)
  if (copy === undefined) return answerFromSuspect(engine, call)
  if (engine.ownInvalidations.since(copy.began, unionOf(call.policy.tags, copy.entry.tags))) {
    copies.drop(call)
    return answerFromSuspect(engine, call)
  }
  const staleMs = copy.ageMs - copy.freshMs
  if (staleMs >= 0 && (!copy.standsIn || staleMs >= call.policy.staleIfErrorMs)) return absent
  const value = decodeValue(engine, call, copy.entry, call.policy.schema)
  if (value === undecodable) return absent
  if (staleMs < 0) reportKept(engine, call)
  else {
    call.outcome = 'stale'
    if (engine.events.topics.stale.heard) {
      const bytes = copy.entry.bytes.length
      const durationMs = engine.clock.now() - call.startedAt
      engine.events.emit('stale', { ...recordBase(engine, call), reason: 'store-failed', staleMs, bytes, durationMs })
    }
    void loadBehind(engine, call, copy)
  }
  return value
}

/** A copy of the local tier whose changes are not heard any more stands in as long as it is fresh. */
function answerFromSuspect(engine: Engine, call: Call): unknown {
  const suspect = engine.local?.findSuspect(call, call.policy.tags)
  if (suspect === undefined) return absent
  const value = copiedValue(engine, call.key, suspect, call.policy.schema)
  if (value === undecodable) return absent
  reportKept(engine, call)
  return value
}

function reportKept(engine: Engine, call: Call): void {
  call.outcome = 'unleased'
  if (!engine.events.topics.miss.heard) return
  const durationMs = engine.clock.now() - call.startedAt
  engine.events.emit('miss', { ...recordBase(engine, call), outcome: 'kept', durationMs })
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
