import type { Engine } from '../engine.ts'
import type { Slot } from '../outage/load-slots.ts'
import type { Flight } from './flight.ts'
import type { FlightPlan } from './flight-run.ts'
import { insideLoader } from './load-attempt.ts'
import type { BatchArrival } from './load-batch.ts'

/** `nested`: another load waits for this one, which runs in its place. `refused`: there is no room, now or in time. */
export type Turn = Slot | 'nested' | 'refused'

/**
 * Waits for room for a load of an outage. One that another load waits for, from the beginning or from later on, does not: to queue behind it would be to wait for
 * itself.
 *
 * @param arrival At the batch that the load is to share, which takes one place for all its keys.
 */
export function enterSlots(
  engine: Engine,
  flight: Flight,
  plan: FlightPlan,
  arrival: BatchArrival | undefined,
): Turn | Promise<Turn> {
  if (insideLoader() || flight.isUrgent) return 'nested'
  const { slots } = engine.outage
  const until = engine.clock.now() + plan.policy.hardTimeoutMs
  const stillUntil = (): number => {
    if (flight.isUrgent) return -Infinity
    return plan.behind === true ? until : flight.waitedUntil
  }
  const patience = { until, stillUntil }
  const entered = arrival?.enter(slots, patience) ?? slots.enter(patience, 1)
  return entered instanceof Promise ? turnOf(engine, flight, arrival, entered) : entered
}

async function turnOf(
  engine: Engine,
  flight: Flight,
  arrival: BatchArrival | undefined,
  entered: Promise<Slot | undefined>,
): Promise<Turn> {
  const turn = await Promise.race([entered, flight.urged()])
  if (turn !== 'urged') return turn ?? 'refused'
  void giveBack(engine, arrival, entered)
  return 'nested'
}

/** The others of its batch may yet be let in, and go without it. */
async function giveBack(engine: Engine, arrival: BatchArrival | undefined, entered: Promise<Slot | undefined>): Promise<void> {
  const slot = await entered
  if (slot === undefined) return
  engine.outage.slots.leave(slot)
  arrival?.settle()
}
