import { recordBase, reportUndecodable, undecodable, type Engine } from '../engine.ts'
import type { CallOptions } from '../options/options.ts'
import type { EntryKey } from '../ports.ts'
import type { ValueSchema } from '../resources/value-schema.ts'
import type { LocalCopy, LocalTier } from './local-tier.ts'

/**
 * The copy that may answer a call, if one may. Copies were vouched for before the call, so none answers one that asks for more; nor one whose signal has aborted. Options
 * that are wrong are left to be found out on the way to the store.
 *
 * @param version Undefined: the cache's own.
 * @param tags Those that the call names.
 */
export function copyForCall(
  { rollout }: Engine,
  local: LocalTier,
  key: string,
  options: CallOptions | undefined,
  version?: number,
  tags?: readonly string[],
): LocalCopy | undefined {
  if (rollout?.takes(key) === false) return undefined
  if (options !== undefined && (options.forceFresh === true || options.signal?.aborted === true)) return undefined
  return tags === undefined || Array.isArray(tags) ? local.find(key, version, tags) : undefined
}

/**
 * The copy of a key, where the options have been resolved already.
 *
 * @param tags Those that the call names beside the cache's own, which were looked up for every copy.
 */
export function copyOf({ local, rollout }: Engine, { key, version }: EntryKey, tags?: readonly string[]): LocalCopy | undefined {
  return local === undefined || rollout?.takes(key) === false ? undefined : local.find(key, version, tags)
}

/** The copy's value. One that cannot be decoded is reported and counts as no copy: {@link undecodable}. */
export function copiedValue(engine: Engine, key: string, { kept, version }: LocalCopy, schema?: ValueSchema): unknown {
  try {
    const value = kept.value()
    return schema === undefined ? value : schema.read(value, engine.codec.freeze)
  } catch (error) {
    reportUndecodable(engine, { key, version }, kept.bytes, error)
    return undecodable
  }
}

/** Answers a single call with a value that a copy held. */
export function answerWithCopy(
  engine: Engine,
  key: string,
  copy: LocalCopy,
  value: unknown,
  resource?: string,
): Promise<unknown> {
  const { hitCounter, events, tracer } = engine
  if (hitCounter !== undefined || events.topics.hit.heard) reportCopyHit(engine, key, copy, resource)
  if (tracer?.wants() !== true) return Promise.resolve(value)
  return tracer.operation('getOrSet', { key, outcome: 'hit' }, async () => value)
}

export function reportCopyHit(engine: Engine, key: string, copy: LocalCopy, resource: string | undefined): void {
  const { hitCounter, events, clock } = engine
  hitCounter?.countLocal(resource)
  if (!events.topics.hit.heard) return
  const now = clock.now()
  events.emit('hit', {
    ...recordBase(engine, { key, version: copy.version }),
    from: 'local',
    ageMs: now - copy.createdAt,
    remainingMs: copy.freshUntil - now,
    bytes: copy.kept.bytes,
    durationMs: 0,
  })
}
