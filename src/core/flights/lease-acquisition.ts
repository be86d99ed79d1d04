import { decodeValue, openEntry, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { WaitRecord } from '../events.ts'
import type { Flight } from './flight.ts'
import type { FlightPlan } from './flight-run.ts'
import type { BatchArrival } from './load-batch.ts'
import type { AcquireReply, Entry, EntryKey, Token } from '../ports.ts'

export type Acquisition =
  /** Someone stored a value; the acquire that brought it was sent at `sentSeq`. */
  | { readonly kind: 'value'; readonly entry: Entry; readonly validBefore: number }
  | { readonly kind: 'leased'; readonly token: Token; readonly leaseMs: number }
  /** Load without a lease: the key is marked "do not queue", or (`outage`) the store cannot grant one. */
  | { readonly kind: 'unleased'; readonly outage: boolean }
  | { readonly kind: 'cooling'; readonly errorCode: string; readonly remainingMs: number }
  /** Only for refreshes: someone else holds the lease. */
  | { readonly kind: 'busy'; readonly remainingMs: number }
  /** Every caller left while the flight waited. */
  | { readonly kind: 'deserted' }

/** Tries that a store may call late before it counts as unusable: its clock and ours must disagree. */
const mostLateReplies = 3

interface Asked {
  readonly reply: Exclude<AcquireReply, { kind: 'late' }>
  readonly token: Token
  readonly leaseMs: number
  readonly sentSeq: number
}

/**
 * Asks for the lease, waiting for its holder as long as need be, until there is a value, a lease, or a reason to go without.
 *
 * @param arrival At the batch that the load is to share, which does not wait while this waits for another holder.
 */
export async function acquireLease(
  engine: Engine,
  flight: Flight,
  plan: FlightPlan,
  arrival: BatchArrival | undefined,
): Promise<Acquisition> {
  const { store, clock, waiters, random } = engine
  const { key, purpose } = plan
  const wakeId = store.wakeId(key)
  const dead: Token[] = []
  let seen: Token[] | 'any' = purpose === 'force' ? 'any' : [...plan.seen]
  let firstSentSeq = Infinity
  let waitingSince: number | undefined
  const waited = (outcome: WaitRecord['outcome']): void => {
    if (waitingSince === undefined || !engine.events.topics.wait.heard) return
    engine.events.emit('wait', { ...recordBase(engine, key), waitedMs: clock.now() - waitingSince, outcome })
  }

  for (let round = 0; ; round++) {
    const waiter = waiters.register(wakeId)
    try {
      const asked = await ask(engine, plan, seen, dead)
      if (asked === undefined) {
        for (const token of dead) void releaseDead(engine, key, token)
        waited('store-failed')
        return { kind: 'unleased', outage: true }
      }
      const { reply, sentSeq } = asked
      firstSentSeq = Math.min(firstSentSeq, sentSeq)
      switch (reply.kind) {
        case 'value': {
          const entry = openEntry(engine, key, reply.bytes)
          // Found out here once, or every caller of the flight would find out for himself and have nobody to load for him.
          if ('unreadable' in entry || decodeValue(engine, key, entry, plan.policy.schema) === undecodable) {
            if (seen === 'any' || entry.token === undefined) return { kind: 'unleased', outage: true }
            seen.push(entry.token)
            break
          }
          waited('value')
          // A forced call may take what another load stored only if that load began after this flight first asked.
          return { kind: 'value', entry, validBefore: purpose === 'force' ? firstSentSeq : sentSeq }
        }
        case 'granted':
          waited('granted')
          return { kind: 'leased', token: asked.token, leaseMs: asked.leaseMs }
        case 'unqueued':
          waited('unqueued')
          return { kind: 'unleased', outage: false }
        case 'cooling':
          waited('cooling')
          return reply
        case 'busy': {
          if (purpose === 'refresh') return { kind: 'busy', remainingMs: reply.remainingMs }
          if (seen === 'any') seen = reply.valueToken === undefined ? [reply.holder] : [reply.holder, reply.valueToken]
          waitingSince ??= clock.now()
          const jitterMs = random.next() * Math.min(50, plan.policy.leaseMs / 10)
          arrival?.settle()
          await waiter.wait(clock, waiters.patience(reply.remainingMs, jitterMs, round), plan.abandon.signal)
          arrival?.reopen()
          plan.budget.refill()
          if (flight.deserted) {
            waited('gave-up')
            return { kind: 'deserted' }
          }
          break
        }
        case 'full':
          waited('store-failed')
          return { kind: 'unleased', outage: true }
      }
    } finally {
      waiter.close()
    }
  }
}

/** One acquire, tried again within the budget while its outcome is unknown. Undefined: the store did not answer. */
async function ask(engine: Engine, plan: FlightPlan, seen: readonly Token[] | 'any', dead: Token[]): Promise<Asked | undefined> {
  const { store, clock, random, loopDelay } = engine
  const { key, version } = plan.key
  for (let late = 0; late < mostLateReplies; late++) {
    const full = engine.gate.enter()
    if (full !== undefined) await full
    const timeoutMs = plan.budget.timeoutMs(true)
    const token = random.token()
    const leaseMs = loopDelay.leaseMs(plan.policy.leaseMs, clock.now())
    const wait = plan.purpose !== 'refresh'
    const sentSeq = engine.sequence.next()
    const { journal } = engine.outage
    const { doubts } = journal
    try {
      if (timeoutMs < 1 || journal.blocks(plan.key)) return undefined
      const reply = await plan.budget.spend(() => {
        const notAfter = store.notAfter(plan.key, timeoutMs)
        return store.acquire({ key, version, token, leaseMs, seen, dead, wait, timeoutMs, notAfter })
      })
      if (reply.kind === 'value' && journal.doubts !== doubts) return undefined
      if (reply.kind !== 'late') return { reply, token, leaseMs, sentSeq }
      plan.budget.refill()
    } catch (error) {
      const { outcome } = reportStoreError(engine, 'acquire', plan.key, error)
      if (outcome === 'not-executed') return undefined
      // It may yet be granted. Nobody will ever load or commit under it, and the next try takes its place.
      dead.push(token)
    } finally {
      engine.gate.leave()
    }
  }
  return undefined
}

/** An acquire that was given up may yet be granted; the release sent after it keeps others from waiting for a lease that nobody holds. */
async function releaseDead(engine: Engine, { key, version }: EntryKey, token: Token): Promise<void> {
  try {
    await engine.store.release({ key, version, token, marker: { kind: 'none' }, timeoutMs: engine.options.commandTimeoutMs })
  } catch {
    // The lease ends by itself.
  }
}
