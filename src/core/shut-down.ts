import type { Engine } from './engine.ts'
import { LeaseholdError } from './errors.ts'
import type { Clock, Timer } from './ports.ts'

/** Lets calls be answered, writes arrive and loads finish for up to `closeTimeout`, abandons the rest, then closes the store. */
export async function shutDown(engine: Engine): Promise<void> {
  const { underWay, pending, clock, options, store } = engine
  engine.phase = 'closing'
  engine.closeLocal()
  await within(clock, options.closeTimeoutMs, answered(engine))
  engine.phase = 'closed'
  const closed = new LeaseholdError('CACHE_CLOSED', 'the cache was closed while this load was running')
  for (const abandon of underWay.values()) abandon(closed)
  await drained(underWay)
  // What is on its way may still arrive; a write that waits for replicas could take minutes.
  await within(clock, options.storeBudgetMs, pending.idle())
  await engine.outage.replay.stop()
  await store.close()
}

/** Waits for `work`, or until its time is over. */
async function within(clock: Clock, timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: Timer | undefined
  const over = new Promise<void>(resolve => (timer = clock.setTimeout(resolve, timeoutMs)))
  await Promise.race([work, over])
  if (timer !== undefined) clock.clearTimeout(timer)
}

/** Calls may start loads, and loads that nobody waits for run on. */
async function answered({ underWay, pending }: Engine): Promise<void> {
  while (underWay.size > 0 || pending.count > 0) {
    await pending.idle()
    await drained(underWay)
  }
}

async function drained(underWay: Engine['underWay']): Promise<void> {
  while (underWay.size > 0) await Promise.allSettled(underWay.keys())
}
