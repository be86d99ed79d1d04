import type { Engine } from './engine.ts'
import { LeaseholdError } from './errors.ts'
import type { Timer } from './ports.ts'

/** Lets calls be answered and loads finish for up to `closeTimeout`, abandons the rest, then closes the store. */
export async function shutDown(engine: Engine): Promise<void> {
  const { underWay, pending, clock, options, store } = engine
  engine.phase = 'closing'
  engine.closeLocal()
  let timer: Timer | undefined
  const patience = new Promise<void>(resolve => (timer = clock.setTimeout(resolve, options.closeTimeoutMs)))
  await Promise.race([answered(engine), patience])
  if (timer !== undefined) clock.clearTimeout(timer)
  engine.phase = 'closed'
  const closed = new LeaseholdError('CACHE_CLOSED', 'the cache was closed while this load was running')
  for (const abandon of underWay.values()) abandon(closed)
  await drained(underWay)
  await pending.idle()
  await engine.outage.replay.stop()
  await store.close()
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
