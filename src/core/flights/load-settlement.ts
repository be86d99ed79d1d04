import { recordBase, reportEncodeError, reportStoreError, type Engine } from '../engine.ts'
import { isLeaseholdError } from '../errors.ts'
import type { CommitRecord } from '../events.ts'
import { LoaderTags } from '../tags/loader-tags.ts'
import { epochAt, sequenceAt, standingOf } from '../tags/namespace-record.ts'
import { entryTimes, longestKept } from './entry-times.ts'
import type { FlightRun, RunResult } from './flight-run.ts'
import type { LoadResult } from './load-attempt.ts'
import type { OutageLoad } from '../outage/outage-copies.ts'
import type { CommitReply, Entry, Marker, Token } from '../ports.ts'

interface Load {
  /** Undefined: the loader was given up, or never started. */
  readonly result: LoadResult | undefined
  readonly loadMs: number
  readonly loadSeq: number
}

interface LeasedLoad extends Load {
  /** What lets its value be kept should the store be gone by then. */
  readonly outage: OutageLoad
  readonly token: Token
  /** The namespace record from before the load. */
  readonly stamp: Buffer
  readonly leaseMs: number
  /** Whether the store has said that the lease is not ours any more. */
  isLost(): boolean
  /** From the commit or the release on, a renewal could only report a loss that is none. */
  stopRenewing(): void
}

interface UnleasedLoad extends Load {
  /** What lets its value be kept for the outage; undefined when the store answers. */
  readonly outage: OutageLoad | undefined
}

const noMarker: Marker = { kind: 'none' }
const commitTries = 2

/** Ends a load under a lease: commits its value, or releases the lease, and then answers. */
export async function settleLeased(run: FlightRun, load: LeasedLoad): Promise<RunResult> {
  const { result } = load
  const doNotQueue: Marker = { kind: 'do-not-queue', markerMs: load.leaseMs }
  if (result === undefined) return fail(run, load, run.plan.abandon.signal.reason)
  if (result.kind === 'failed') return fail(run, load, result.error)
  if (result.kind === 'nothing') {
    const validBefore = await vouchByRelease(run, load, doNotQueue, result.tags)
    run.land({ kind: 'nothing', validBefore, source: 'load' })
    return 'not-stored'
  }
  let entry: Entry
  try {
    entry = encode(run, load, result, load.stamp)
  } catch (error) {
    return fail(run, load, error)
  }
  const tooLarge = entry.bytes.length > run.engine.codec.maxValueBytes
  if (tooLarge || (result.kind === 'value' && result.skipped)) {
    if (tooLarge) reportCommit(run, entry, 'too-large')
    const validBefore = await vouchByRelease(run, load, doNotQueue, entry.tags)
    run.land({ kind: 'entry', entry, validBefore, source: 'load' })
    return 'not-stored'
  }
  return settleCommit(run, load, entry)
}

async function settleCommit(run: FlightRun, load: LeasedLoad, entry: Entry): Promise<RunResult> {
  const sentSeq = run.engine.sequence.next()
  if (entry.tags.length > 0) lengthenTags(run, entry)
  const [outcome, untouched] = await Promise.all([commit(run, load, entry), isUntouched(run, load, entry.tags)])
  reportCommit(run, entry, outcome)
  if (outcome === 'stored') run.engine.local?.change(run.plan.key)
  // A full store held the lease until it said so, which vouches for the value as well as storing it would.
  const vouched = untouched && (outcome === 'stored' || outcome === 'full')
  if (outcome === 'unknown') run.engine.outage.copies.end(load.outage, entry, entry.freshUntil - entry.createdAt)
  // A commit that did not arrive leaves a lease that nobody holds. No caller waits for its end.
  const released = outcome === 'unknown' || outcome === 'late' ? release(run, load, noMarker) : undefined
  run.land({ kind: 'entry', entry, validBefore: vouched ? sentSeq : load.loadSeq, source: 'load' })
  await released
  if (outcome === 'stored') return 'stored'
  return outcome === 'lost' ? 'superseded' : 'not-stored'
}

/**
 * Ends a load without a lease; nothing is stored. In an outage joiners share it, since this process's own invalidations have already closed
 * the flight to those that came after them.
 */
export function settleUnleased(run: FlightRun, load: UnleasedLoad): void {
  const { result, loadSeq, outage } = load
  if (result === undefined) return
  const { engine, plan } = run
  if (result.kind === 'failed') return run.land({ kind: 'failed', error: result.error })
  const source = plan.bypass === true ? 'bypassed' : 'unleased'
  const validBefore = (tags: readonly string[]): number =>
    outage !== undefined && !engine.ownInvalidations.since(loadSeq, tags) ? Infinity : loadSeq
  if (result.kind === 'nothing') return run.land({ kind: 'nothing', validBefore: validBefore(result.tags), source })
  const entry = encode(run, { ...load, token: engine.random.token() }, result, undefined)
  const keeps =
    outage !== undefined && entry.bytes.length <= engine.codec.maxValueBytes && !(result.kind === 'value' && result.skipped)
  if (keeps) engine.outage.copies.end(outage, entry, result.ttlMs ?? plan.policy.ttlMs)
  // Its tags are those of the value that was not modified, too.
  run.land({ kind: 'entry', entry, validBefore: validBefore(entry.tags), source })
}

async function fail(run: FlightRun, load: LeasedLoad, error: unknown): Promise<RunResult> {
  const released = release(run, load, markerAfterFailure(run, load, error))
  run.land({ kind: 'failed', error })
  await released
  return load.isLost() ? 'superseded' : 'failed'
}

function markerAfterFailure({ plan }: FlightRun, load: LeasedLoad, error: unknown): Marker {
  const { signal } = plan.abandon
  // A load that was called off says nothing about the source.
  if (signal.aborted && !isLeaseholdError(signal.reason, 'LOAD_TIMEOUT')) return noMarker
  const { errorCooldownMs } = plan.policy
  if (errorCooldownMs > 0) return { kind: 'cooldown', markerMs: errorCooldownMs, errorCode: errorCode(error) }
  // The waiters of other processes each try for themselves, at once rather than in turn. A failed refresh leaves them the stored value.
  return plan.purpose === 'refresh' ? noMarker : { kind: 'do-not-queue', markerMs: load.leaseMs }
}

/** A load that stores nothing is vouched for by its release: the lease held until then. Returns `validBefore`. */
async function vouchByRelease(run: FlightRun, load: LeasedLoad, marker: Marker, tags: readonly string[]): Promise<number> {
  const { budget } = run.plan
  const sentSeq = run.engine.sequence.next()
  const timeoutMs = Math.max(1, budget.timeoutMs(false))
  const [held, untouched] = await budget.spend(() =>
    Promise.all([release(run, load, marker, timeoutMs), isUntouched(run, load, tags)]),
  )
  return held && untouched ? sentSeq : load.loadSeq
}

/**
 * Whether neither `clear` nor one of the tags has come between the load and now, for those who joined after it began: no lease falls by them, so
 * that commit and release say nothing. Asked by commands that are sent now, and only if there is anyone to know it for.
 */
async function isUntouched(
  { engine, flight, plan }: FlightRun,
  { loadSeq, stamp }: LeasedLoad,
  tags: readonly string[],
): Promise<boolean> {
  if (!flight.hasLateJoiners) return true
  // The store may not have been told yet.
  if (engine.ownInvalidations.since(loadSeq, tags)) return false
  const timeoutMs = Math.max(1, plan.budget.timeoutMs(false))
  try {
    const [record, newest] = await Promise.all([
      engine.store.stamp({ keepMs: 0, timeoutMs }),
      tags.length === 0 ? 0 : engine.store.newestTag({ epoch: epochAt(stamp, 0), tags, timeoutMs }),
    ])
    const standing = standingOf(stamp, 0, record, tags.length > 0)
    return standing === 'valid' || (standing === 'moved' && newest <= sequenceAt(stamp, 0))
  } catch (error) {
    reportStoreError(engine, 'stamp', plan.key, error)
    return false
  }
}

/** A value that is kept for longer than its options said has its tags remembered for as long. Without it the value would go early. */
function lengthenTags({ engine, plan }: FlightRun, entry: Entry): void {
  const keepMs = entry.hardUntil - entry.createdAt
  if (keepMs <= longestKept(plan.policy)) return
  const told = engine.store.stamp({ keepMs, timeoutMs: engine.options.commandTimeoutMs })
  told.catch((error: unknown) => reportStoreError(engine, 'stamp', plan.key, error))
}

async function release(run: FlightRun, load: LeasedLoad, marker: Marker, timeoutMs?: number): Promise<boolean> {
  const { engine, plan } = run
  load.stopRenewing()
  if (load.isLost()) return false
  try {
    const { key, version } = plan.key
    return await engine.store.release({
      key,
      version,
      token: load.token,
      marker,
      timeoutMs: timeoutMs ?? engine.options.commandTimeoutMs,
    })
  } catch (error) {
    reportStoreError(engine, 'release', plan.key, error)
    return false
  }
}

/** Sends the entry; once more if no reply came, for which the script knows a repeat when it sees one. */
async function commit(run: FlightRun, load: LeasedLoad, entry: Entry): Promise<CommitReply | 'unknown'> {
  const { engine, plan } = run
  const { store } = engine
  const { key, version } = plan.key
  const keepMs = entry.hardUntil - entry.createdAt
  for (let tries = 0; tries < commitTries; tries++) {
    const full = engine.gate.enter()
    if (full !== undefined) await full
    load.stopRenewing()
    const timeoutMs = plan.budget.timeoutMs(false)
    try {
      if (load.isLost()) return 'lost'
      if (timeoutMs < 1) break
      return await plan.budget.spend(() => {
        const notAfter = store.notAfter(plan.key, timeoutMs)
        return store.commit({ key, version, token: load.token, bytes: entry.bytes, keepMs, timeoutMs, notAfter })
      })
    } catch (error) {
      if (reportStoreError(engine, 'commit', plan.key, error).outcome === 'not-executed') break
    } finally {
      engine.gate.leave()
    }
  }
  return 'unknown'
}

type StorableResult = LoadResult & { readonly kind: 'value' | 'not-modified' }

function encode(
  run: FlightRun,
  load: Load & { readonly token: Token },
  result: StorableResult,
  stamp: Buffer | undefined,
): Entry {
  const { engine, plan } = run
  const { codec, store, random } = engine
  // In an outage the server's time may not be known. Such an entry is not stored: it only carries the value.
  const times = entryTimes(plan.policy, result.ttlMs ?? plan.policy.ttlMs, store.now(plan.key), random, load.loadMs)
  const bytes = reportEncodeError(engine, plan.key, 'load', () => {
    if (result.kind === 'not-modified' && plan.stale !== undefined) {
      // What the earlier load found out of the value is still true of it.
      const tags = new LoaderTags(plan.key.key, plan.stale.tags)
      tags.add(...result.tags)
      return codec.reseal(plan.key, plan.stale, times, load.token, { stamp, names: tags.all })
    }
    const value = result.kind === 'value' ? result.value : undefined
    plan.policy.schema?.check(plan.key.key, value)
    return codec.encode(plan.key, value, times, load.token, { stamp, names: result.tags })
  })
  return openOwn(engine, run, bytes)
}

function openOwn(engine: Engine, run: FlightRun, bytes: Buffer): Entry {
  const entry = engine.codec.open(run.plan.key, bytes)
  if ('unreadable' in entry) throw new TypeError(`an entry just written cannot be read: ${entry.unreadable}`)
  return entry
}

function reportCommit({ engine, plan }: FlightRun, entry: Entry, outcome: CommitRecord['outcome']): void {
  if (!engine.events.topics.commit.heard) return
  engine.events.emit('commit', {
    ...recordBase(engine, plan.key),
    outcome,
    bytes: entry.bytes.length,
    payloadBytes: engine.codec.payloadBytes(entry.bytes),
  })
}

/** What of an error may travel to other processes: its code, or its name. */
function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'ERROR'
  const { code, name } = error as { code?: unknown; name?: unknown }
  const text = typeof code === 'string' && code !== '' ? code : typeof name === 'string' ? name : 'ERROR'
  return text.replaceAll(/[^\w.-]/g, '_').slice(0, 64)
}
