import { decodeValue, openEntry, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { WaitRecord } from '../events.ts'
import type { Flight } from './flight.ts'
import type { FlightPlan } from './flight-run.ts'
import type { BatchArrival } from './load-batch.ts'
import type { AcquireReply, Entry, EntryKey, Token } from '../ports.ts'
import { isDeferred, verdictOn } from '../tags/tag-check.ts'
import { longestKept } from './entry-times.ts'

export type Acquisition =
  /** Someone stored a value; the acquire that brought it was sent at `sentSeq`. */
  | { readonly kind: 'value'; readonly entry: Entry; readonly validBefore: number }
  /** `stamp`: the namespace record, read by a command sent along with the acquire. */
  | { readonly kind: 'leased'; readonly token: Token; readonly leaseMs: number; readonly stamp: Buffer }
  /** Load without a lease: the key is marked "do not queue", or (`outage`) the store cannot grant one. */
  | { readonly kind: 'unleased'; readonly outage: boolean }
  | { readonly kind: 'cooling'; readonly errorCode: string; readonly remainingMs: number }
  /** Only for refreshes: someone else holds the lease. */
  | { readonly kind: 'busy'; readonly remainingMs: number }
  /** Every caller left while the flight waited. */
  | { readonly kind: 'deserted' }

/** Tries that a store may call late before it counts as unusable: its clock and ours must disagree. */
const mostLateReplies = 3

type Reply = Exclude<AcquireReply, { kind: 'late' }>

interface Asked {
  /** With the namespace record, where it matters. */
  readonly reply:
    | Exclude<Reply, { kind: 'value' | 'granted' }>
    | (Extract<Reply, { kind: 'value' | 'granted' }> & { readonly record: Buffer })
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
  /** The token of a value that was newer than the record that came with it. */
  let doubted: Token | undefined
  let firstSentSeq = Infinity
  let waitingSince: number | undefined
  const waited = (outcome: WaitRecord['outcome']): void => {
    if (waitingSince === undefined || !engine.events.topics.wait.heard) return
    engine.events.emit('wait', { ...recordBase(engine, key), waitedMs: clock.now() - waitingSince, outcome })
  }

  const goWithout = (): Acquisition => {
    for (const token of dead) void releaseDead(engine, key, token)
    waited('store-failed')
    return { kind: 'unleased', outage: true }
  }

  for (let round = 0; ; round++) {
    const waiter = waiters.register(wakeId)
    try {
      const asked = await ask(engine, plan, seen, dead)
      if (asked === undefined) return goWithout()
      const { reply, sentSeq } = asked
      firstSentSeq = Math.min(firstSentSeq, sentSeq)
      switch (reply.kind) {
        case 'value': {
          const entry = openEntry(engine, key, reply.bytes)
          if (!('unreadable' in entry)) {
            // An acquire would bring it again until the store has been told.
            if (isDeferred(engine, entry, plan.policy.tags, sentSeq)) return goWithout()
            const verdict = await judge(engine, plan, entry, reply.record, sentSeq)
            if (verdict === 'valid') {
              waited('value')
              // A forced call may take what another load stored only if that load began after this flight first asked.
              return { kind: 'value', entry, validBefore: purpose === 'force' ? firstSentSeq : sentSeq }
            }
            // The two commands may have been executed in either order. The record that comes with the next try cannot be older than the value.
            if (verdict === 'unsure' && doubted?.equals(entry.token) !== true) {
              doubted = entry.token
              break
            }
          }
          // Found out here once, or every caller of the flight would find out for himself and have nobody to load for him.
          if (seen === 'any' || entry.token === undefined) return { kind: 'unleased', outage: true }
          seen.push(entry.token)
          break
        }
        case 'granted':
          waited('granted')
          return { kind: 'leased', token: asked.token, leaseMs: asked.leaseMs, stamp: reply.record }
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

/** Whether an acquired value is what it says, and no tag of it has been invalidated. */
function judge(engine: Engine, plan: FlightPlan, entry: Entry, record: Buffer, sentSeq: number): ReturnType<typeof verdictOn> {
  if (decodeValue(engine, plan.key, entry, plan.policy.schema) === undecodable) return Promise.resolve('invalid')
  const timeoutMs = Math.max(1, plan.budget.timeoutMs(true))
  return plan.budget.spend(() => verdictOn(engine, plan.key, entry, record, plan.policy.tags, timeoutMs, sentSeq))
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
    let command: 'acquire' | 'stamp' = 'acquire'
    try {
      if (timeoutMs < 1 || journal.blocks(plan.key)) return undefined
      const notAfter = store.notAfter(plan.key, timeoutMs)
      const acquiring = store.acquire({ key, version, token, leaseMs, seen, dead, wait, timeoutMs, notAfter })
      const stamped = store.stamp({ keepMs: longestKept(plan.policy), timeoutMs })
      stamped.catch(() => {})
      const reply = await plan.budget.spend(() => acquiring)
      if (reply.kind === 'value' && journal.doubts !== doubts) return undefined
      if (reply.kind === 'value' || reply.kind === 'granted') {
        command = 'stamp'
        return { reply: { ...reply, record: await plan.budget.spend(() => stamped) }, token, leaseMs, sentSeq }
      }
      if (reply.kind !== 'late') return { reply, token, leaseMs, sentSeq }
      plan.budget.refill()
    } catch (error) {
      const { outcome } = reportStoreError(engine, command, plan.key, error)
      if (command === 'acquire' && outcome === 'not-executed') return undefined
      // It may yet be granted, or has been without a stamp. Nobody will ever load or commit under it, and the next try takes its place.
      dead.push(token)
      if (outcome === 'not-executed') return undefined
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
