import { listenForAbort } from '../abort-listeners.ts'
import type { Call } from './call.ts'
import { decodeValue, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'
import type { MissRecord, StaleRecord } from '../events.ts'
import type { Flight, FlightAnswer, Leaving } from '../flights/flight.ts'
import type { Flights } from '../flights/flights.ts'
import { loadTimeout, startFlight } from '../flights/flight-run.ts'
import { insideLoader, insideLoaderOf } from '../flights/load-attempt.ts'
import type { Found } from '../local/header-reads.ts'
import { answerFromCopy } from '../outage/answer-from-copy.ts'
import { askAlong } from '../tags/tag-check.ts'
import { absent } from './absent.ts'
import { answerFromStore, answerTagged, findStandIn, undecided } from './read-through.ts'

/** {@link answerCall}, inside the tracer if there is one. */
export function getOrSet(engine: Engine, call: Call): Promise<unknown> {
  const { tracer } = engine
  // Spelled out: the closure alone would cost every hit.
  if (tracer === undefined || !tracer.wants()) return answerCall(engine, call)
  return tracer.operation('getOrSet', call, () => answerCall(engine, call))
}

/**
 * Answers one call: from an open flight, from the store, or by a load.
 *
 * @param hasRead The call has looked in the store, and found no answer.
 */
export async function answerCall(engine: Engine, call: Call, hasRead = false): Promise<unknown> {
  engine.pending.enter()
  try {
    const { signal, forceFresh } = call.policy
    signal?.throwIfAborted()
    if (engine.rollout?.takes(call.key) === false) return await bypass(engine, call)
    const flights = forceFresh ? engine.forcedFlights : engine.flights
    let askedAt = call.startedAt
    for (let looked = hasRead; ; looked = false) {
      let joined = flights.find(call)
      if (joined === undefined && !forceFresh && !looked) {
        // Not in a function of its own: one async function less is worth a lot to a hit.
        const asked = call.policy.tags.length > 0 && engine.tagLookups.likely ? askAlong(engine, call) : undefined
        let found: Found = null
        const { journal, copies } = engine.outage
        const { doubts } = journal
        call.storeFailed = false
        try {
          if (journal.length !== 0 && journal.blocks(call)) call.storeFailed = true
          else {
            found = await engine.reads.read(call, engine.options.commandTimeoutMs)
            if (journal.doubts !== doubts) call.storeFailed = true
          }
        } catch (error) {
          reportStoreError(engine, 'read', call, error)
          call.storeFailed = true
        }
        const record = engine.store.namespaceRecord
        let value = call.storeFailed ? answerFromCopy(engine, call) : answerFromStore(engine, call, found, record)
        if (copies.size !== 0 && !call.storeFailed) copies.drop(call)
        if (value === undecided) {
          call.budget(engine).charge(readMs(engine, call, askedAt))
          askedAt = engine.clock.now()
          value = await answerTagged(engine, call, asked)
          if (value === absent) call.budget(engine).charge(engine.clock.now() - askedAt)
        } else {
          if (asked !== undefined) engine.tagLookups.likely = false
          if (value === absent) call.budget(engine).charge(readMs(engine, call, askedAt))
        }
        if (value !== absent) return value
        joined = flights.find(call)
      }
      if (insideLoaderOf(engine.flights, call.id)) throw recursion(call)
      if (joined !== undefined && insideLoader()) joined.urge()
      const seat = takeSeat(engine, joined ?? lead(engine, call, flights), call)
      call.arrival?.settle()
      const heard = await seat
      if (heard.kind !== 'restart') return await conclude(engine, call, heard, joined === undefined)
      // Not for this call. The next flight will have begun after it, so that its answer will be.
      askedAt = engine.clock.now()
    }
  } catch (error) {
    reportMiss(engine, call, 'failed', error)
    throw error
  } finally {
    call.arrival?.settle()
    engine.pending.leave()
  }
}

/** What the store took for a read. What callers that were answered before this one have done since is not its doing. */
function readMs({ clock, store }: Engine, call: Call, askedAt: number): number {
  const tookMs = clock.now() - askedAt
  return call.storeFailed ? tookMs : Math.max(0, tookMs - (store.sinceReplyMs?.(call) ?? 0))
}

/** Answers a call whose key does not go through the cache: by its loader, as if there were none. */
async function bypass(engine: Engine, call: Call): Promise<unknown> {
  call.storeFailed = true
  const seat = takeSeat(engine, lead(engine, call, undefined), call)
  call.arrival?.settle()
  const heard = await seat
  return conclude(engine, call, heard.kind === 'restart' ? { kind: 'failed', error: recursion(call) } : heard, true)
}

function lead(engine: Engine, call: Call, flights: Flights | undefined): Flight {
  const { policy, key, version, loader, batch, seen, stale, storeFailed } = call
  if (engine.phase === 'closed')
    throw new LeaseholdError('CACHE_CLOSED', 'the cache was closed while this call was reading', { key })
  const purpose = policy.forceFresh ? 'force' : 'call'
  const plan = {
    purpose,
    key: { key, version },
    id: call.id,
    loader,
    batch,
    policy,
    budget: call.budget(engine),
    seen,
    stale,
    storeFailed,
    bypass: flights === undefined,
  } as const
  return startFlight(engine, plan, flights).flight
}

/** Stale values stand in for whatever went wrong; without one the call rejects. */
async function conclude(
  engine: Engine,
  call: Call,
  answer: Exclude<SeatAnswer, { kind: 'restart' }>,
  leads: boolean,
): Promise<unknown> {
  switch (answer.kind) {
    case 'stale':
      return answer.value
    case 'entry': {
      const value = decodeValue(engine, call, answer.entry, call.policy.schema)
      if (value === undecodable)
        throw new LeaseholdError(
          'UNSERIALIZABLE_VALUE',
          `the codec cannot read back the value of ${describeValue(call.key)}`,
          call,
        )
      reportMiss(engine, call, missOutcome(answer.source, leads))
      return value
    }
    case 'nothing':
      reportMiss(engine, call, missOutcome(answer.source, leads))
      return undefined
    case 'failed':
      return staleOrThrow(engine, call, 'load-failed', answer.error)
    case 'timeout':
      return staleOrThrow(engine, call, 'timeout', loadTimeout(call.key, answer.afterMs))
    case 'cooling':
      return staleOrThrow(engine, call, 'cooldown', cooling(call, answer.errorCode, answer.remainingMs))
  }
}

async function staleOrThrow(engine: Engine, call: Call, reason: StaleRecord['reason'], error: unknown): Promise<unknown> {
  const standIn = await findStandIn(engine, call, reason)
  if (standIn !== undefined) {
    standIn.report()
    return standIn.value
  }
  throw error
}

type SeatAnswer = FlightAnswer | { readonly kind: 'stale'; readonly value: unknown }

/** Waits for the flight, but no longer than the call's own timeouts and signal allow. */
function takeSeat(engine: Engine, flight: Flight, call: Call): Promise<SeatAnswer> {
  const { clock } = engine
  const { signal, softTimeoutMs, hardTimeoutMs } = call.policy
  const waitUntil = (call.waitUntil ??= clock.now() + hardTimeoutMs)
  const leftMs = waitUntil - clock.now()
  return new Promise((resolve, reject) => {
    const { answer, leave } = flight.join(call)
    const hardTimer = clock.setTimeout(
      () => depart('timed-out', () => resolve({ kind: 'timeout', afterMs: hardTimeoutMs, leased: false })),
      leftMs,
    )
    const softTimer =
      softTimeoutMs === undefined
        ? undefined
        : clock.setTimeout(() => void answerSoft(), Math.max(0, leftMs - hardTimeoutMs + softTimeoutMs))
    const onAbort = (): void => depart('called-off', () => reject(signal?.reason))
    let departed = false
    const depart = (why: Leaving, settle: () => void): void => {
      if (departed) return
      departed = true
      clock.clearTimeout(hardTimer)
      if (softTimer !== undefined) clock.clearTimeout(softTimer)
      unlisten?.()
      leave(why)
      settle()
    }
    const answerSoft = async (): Promise<void> => {
      try {
        const standIn = await findStandIn(engine, call, 'timeout')
        // The load may have landed meanwhile.
        if (standIn === undefined || departed) return
        standIn.report()
        depart('answered', () => resolve({ kind: 'stale', value: standIn.value }))
      } catch (error) {
        depart('answered', () => reject(error))
      }
    }
    const unlisten = signal === undefined ? undefined : listenForAbort(signal, onAbort)
    if (signal?.aborted === true) onAbort()
    const hear = (landed: FlightAnswer): void => {
      // The load's time is over, this call's is not: the lease is still held, and its value may come.
      const hasTime = landed.kind === 'timeout' && landed.leased && clock.now() < waitUntil
      depart('answered', () => resolve(hasTime ? { kind: 'restart' } : landed))
    }
    void answer.then(hear)
  })
}

type LoadedOutcome = Exclude<MissRecord['outcome'], 'kept' | 'failed'>

function missOutcome(source: 'load' | 'store' | 'unleased' | 'bypassed', leads: boolean): LoadedOutcome {
  if (source === 'unleased' || source === 'bypassed') return source
  if (source === 'store') return 'waited'
  return leads ? 'loaded' : 'joined'
}

function reportMiss(engine: Engine, call: Call, outcome: LoadedOutcome | 'failed', error?: unknown): void {
  if (outcome !== 'failed') call.outcome = outcome === 'bypassed' ? 'unleased' : outcome
  if (!engine.events.topics.miss.heard) return
  const durationMs = engine.clock.now() - call.startedAt
  engine.events.emit('miss', { ...recordBase(engine, call), outcome, durationMs, ...(outcome === 'failed' ? { error } : {}) })
}

function recursion({ key }: Call): LeaseholdError {
  return new LeaseholdError(
    'LOADER_RECURSION',
    `the loader of ${describeValue(key)} asks the cache for ${describeValue(key)} itself, and would wait for itself`,
    { key },
  )
}

function cooling({ key }: Call, errorCode: string, remainingMs: number): LeaseholdError {
  const message = `the last load of ${describeValue(key)} failed (${errorCode}); nobody loads it for another ${remainingMs} ms`
  return new LeaseholdError('LOAD_COOLING', message, { key, option: 'errorCooldown' })
}
