import { absent } from './absent.ts'
import type { Call } from './call.ts'
import { decide, isFresh, staleness } from './decide.ts'
import { decodeValue, openEntry, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { StaleRecord } from '../events.ts'
import { fillCopy } from '../local/fill-copy.ts'
import type { Found } from '../local/header-reads.ts'
import type { Entry } from '../ports.ts'
import { hasNewerTag, isDeferred, verdictOn, type AskedTags } from '../tags/tag-check.ts'
import { answerFromCopy } from '../outage/answer-from-copy.ts'

/** Whether the stored value is valid depends on its tags: {@link answerTagged}. */
export const undecided: unique symbol = Symbol('undecided')

/**
 * Answers from what the call has read, if they may be answered. Remembers in the call what else it learned.
 *
 * @param record The namespace record that came with them.
 */
export function answerFromStore(engine: Engine, call: Call, found: Found, record: Buffer | null): unknown {
  if (found === null) return absent
  const entry = openEntry(engine, call, found)
  if ('unreadable' in entry) {
    if (entry.token !== undefined) call.seen.push(entry.token)
    return absent
  }
  if (isDeferred(engine, entry, call.policy.tags, call.began)) {
    call.storeFailed = true
    return answerFromCopy(engine, call)
  }
  const standing = entry.standing(record, call.policy.tags.length > 0)
  if (standing === 'valid') return answerFromEntry(engine, call, entry)
  if (standing === 'moved') {
    call.candidate = entry
    return undecided
  }
  // An acquire would only offer it again. One that is merely unlike the record may be newer than that.
  if (standing === 'cleared') call.seen.push(entry.token)
  return absent
}

/** Looks up the tags of what the call has read, then answers like {@link answerFromStore}. Invalid values are absent, even for the stale rules. */
export async function answerTagged(engine: Engine, call: Call, asked: AskedTags | undefined): Promise<unknown> {
  const entry = call.candidate
  call.candidate = undefined
  if (entry === undefined) return absent
  engine.tagLookups.likely = true
  try {
    const timeoutMs = Math.max(1, call.budget(engine).timeoutMs(true))
    if (!(await hasNewerTag(engine, entry, call.policy.tags, timeoutMs, asked))) return answerFromEntry(engine, call, entry)
    call.seen.push(entry.token)
  } catch (error) {
    reportStoreError(engine, 'newest-tag', call, error)
    call.storeFailed = true
  }
  return absent
}

function answerFromEntry(engine: Engine, call: Call, entry: Entry): unknown {
  const nowMs = engine.store.now(call)
  const decision = decide(entry, nowMs, call.policy, engine.random)
  if (decision === 'absent' || decision === 'fallback') {
    // Even one too old to stand in for a failed load is good for a conditional request.
    call.stale = entry
    return absent
  }
  const value = decodeValue(engine, call, entry, call.policy.schema)
  if (value === undecodable) {
    call.seen.push(entry.token)
    return absent
  }
  engine.shadow?.offer(engine, call, entry)
  if (engine.local !== undefined && decision !== 'revalidate')
    fillCopy(engine, call, entry, call.policy.tags, call.askedAt, nowMs)
  if (decision !== 'fresh') engine.refreshes.offer(engine, call, entry, decision === 'revalidate' ? 'stale' : 'early')
  if (decision === 'revalidate') reportStale(engine, call, entry, 'revalidate')
  else reportHit(engine, call, entry, nowMs)
  return value
}

/** A stored value that may be answered in place of a load, and what reports it once it is. */
export interface StandIn {
  readonly value: unknown
  report(): void
}

/** A stored value past its freshness, if `staleIfError` or `staleWhileRevalidate` lets it stand in now. */
export async function findStandIn(engine: Engine, call: Call, reason: StaleRecord['reason']): Promise<StandIn | undefined> {
  const { policy } = call
  if (policy.staleIfErrorMs === 0 && policy.staleWhileRevalidateMs === 0) return undefined
  const entry = call.stale ?? (await readEntry(engine, call))
  if (entry === undefined) return undefined
  const nowMs = engine.store.now(call)
  const fresh = isFresh(entry, nowMs)
  const mayBeStaleMs = Math.max(policy.staleIfErrorMs, policy.staleWhileRevalidateMs)
  if (!fresh && !(staleness(entry, nowMs) < mayBeStaleMs)) return undefined
  const value = decodeValue(engine, call, entry, policy.schema)
  if (value === undecodable) return undefined
  return {
    value,
    // Who forced a load was not given one, however fresh the value.
    report: () =>
      fresh && !policy.forceFresh ? reportHit(engine, call, entry, nowMs) : reportStale(engine, call, entry, reason),
  }
}

/** A call that joined a flight unread looks now, so that a value deleted since is not brought back. */
async function readEntry(engine: Engine, call: Call): Promise<Entry | undefined> {
  const budget = call.budget(engine)
  const timeoutMs = budget.timeoutMs(false)
  const { journal } = engine.outage
  const { doubts } = journal
  if (call.storeFailed || timeoutMs < 1 || journal.blocks(call)) return undefined
  try {
    const found = await budget.spend(() => engine.reads.read(call, timeoutMs))
    const record = engine.store.namespaceRecord
    const entry = found === null || journal.doubts !== doubts ? undefined : openEntry(engine, call, found)
    if (entry === undefined || 'unreadable' in entry) return undefined
    const leftMs = Math.max(1, budget.timeoutMs(false))
    const verdict = await verdictOn(engine, call, entry, record, call.policy.tags, leftMs, call.began)
    return verdict === 'valid' ? entry : undefined
  } catch (error) {
    reportStoreError(engine, 'read', call, error)
    return undefined
  }
}

function reportHit(engine: Engine, call: Call, entry: Entry, nowMs: number): void {
  call.outcome = 'hit'
  engine.hitCounter?.count(entry.encodedBytes, call.policy.resource, call.startedAt, engine.clock)
  if (!engine.events.topics.hit.heard) return
  // Spelled out: a spread takes several times as long as all the rest of a hit.
  engine.events.emit('hit', {
    key: call.key,
    version: call.version,
    at: engine.clock.wallNow(),
    from: 'store',
    ageMs: Math.max(0, nowMs - entry.createdAt),
    remainingMs: entry.freshUntil - nowMs,
    bytes: entry.encodedBytes,
    durationMs: engine.clock.now() - call.startedAt,
  })
}

function reportStale(engine: Engine, call: Call, entry: Entry, reason: StaleRecord['reason']): void {
  call.outcome = 'stale'
  if (!engine.events.topics.stale.heard) return
  engine.events.emit('stale', {
    ...recordBase(engine, call),
    reason,
    staleMs: staleness(entry, engine.store.now(call)),
    bytes: entry.encodedBytes,
    durationMs: engine.clock.now() - call.startedAt,
  })
}
