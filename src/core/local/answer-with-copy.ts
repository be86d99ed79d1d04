import { recordBase, type Engine } from '../engine.ts'
import type { CallOptions } from '../options/options.ts'
import type { LocalCopy } from './local-tier.ts'

/** Whether a call may be answered by a copy. Those are of the cache's own version, and were vouched for before the call. */
export function takesCopies(options: CallOptions | undefined): boolean {
  return (
    options === undefined || (options.forceFresh === undefined && options.version === undefined && options.signal === undefined)
  )
}

export function answerWithCopy(engine: Engine, key: string, copy: LocalCopy): Promise<unknown> {
  const { hitCounter, tracer, events } = engine
  if (hitCounter !== undefined || events.topics.hit.heard) report(engine, key, copy)
  if (tracer?.wants() !== true) return Promise.resolve(copy.kept.value())
  return tracer.operation('getOrSet', { key, outcome: 'hit' }, async () => copy.kept.value())
}

function report(engine: Engine, key: string, { kept, freshUntil, createdAt }: LocalCopy): void {
  const { hitCounter, events, clock, options } = engine
  hitCounter?.countLocal()
  if (!events.topics.hit.heard) return
  const now = clock.now()
  events.emit('hit', {
    ...recordBase(engine, { key, version: options.policy.version }),
    from: 'local',
    ageMs: now - createdAt,
    remainingMs: freshUntil - now,
    bytes: kept.bytes,
    durationMs: 0,
  })
}
