import { decodeValue, openEntry, recordBase, reportStoreError, undecodable, type Engine } from '../engine.ts'
import type { StoreError } from '../errors.ts'
import type { LoaderContext } from '../flights/loader-context.ts'
import { isFound, type Found } from '../local/header-reads.ts'
import type { EntryKey } from '../ports.ts'
import { readEach } from '../calls/read-each.ts'
import { isDeferred } from '../tags/tag-check.ts'
import type { ResolvedDefinition } from './resolve-definition.ts'

/**
 * Looks for values of the version before, and brings those forward that can be. They are fresh for as long as they still were.
 *
 * It is asked under the lease of the new version, and only for keys of which nothing stands there: a `delete` since revokes the lease, one before has
 * removed the old value too.
 *
 * @param params Of the things, in the order of `contexts`.
 * @returns The values by their place in `contexts`.
 */
export async function upgradePrevious(
  engine: Engine,
  { policy, upgrade, tagsOf, shouldCache }: Pick<ResolvedDefinition, 'policy' | 'upgrade' | 'tagsOf' | 'shouldCache'>,
  contexts: readonly LoaderContext[],
  params: readonly unknown[],
): Promise<ReadonlyMap<number, unknown>> {
  const upgraded = new Map<number, unknown>()
  const places: number[] = []
  for (const [place, context] of contexts.entries()) {
    if (context.stale === undefined) places.push(place)
  }
  if (upgrade === undefined || places.length === 0) return upgraded
  const keys = places.map(place => (contexts[place] as LoaderContext).key)
  const askedAt = engine.sequence.next()
  const believes = engine.outage.journal.observe(keys, policy.version - 1)
  await readEach(engine, keys, policy.version - 1, (key, found, index, record) => {
    const place = places[index] as number
    const context = contexts[place] as LoaderContext
    const bring = { upgrade, tagsOf, shouldCache, params: params[place], context }
    const value = believes(key) ? bringForward(engine, policy, bring, key, found, record, askedAt) : undefined
    if (value !== undefined) upgraded.set(place, value)
  })
  return upgraded
}

interface Upgrading {
  readonly upgrade: NonNullable<ResolvedDefinition['upgrade']>
  readonly tagsOf: ResolvedDefinition['tagsOf']
  readonly shouldCache: ResolvedDefinition['shouldCache']
  readonly params: unknown
  readonly context: LoaderContext
}

function bringForward(
  engine: Engine,
  { schema, tags: policyTags }: ResolvedDefinition['policy'],
  { upgrade, tagsOf, shouldCache, params, context }: Upgrading,
  key: EntryKey,
  found: Found | StoreError,
  record: Buffer | null,
  askedAt: number,
): unknown {
  if (found === null) return undefined
  if (!isFound(found)) return void reportStoreError(engine, 'read', key, found)
  const entry = openEntry(engine, key, found)
  if ('unreadable' in entry || entry.expired || isDeferred(engine, entry, policyTags, askedAt)) return undefined
  // Not worth a look-up: one whose tags would have to be looked up is loaded anew.
  if (entry.standing(record, policyTags.length > 0 || tagsOf !== undefined) !== 'valid') return undefined
  const leftMs = entry.freshUntil - engine.store.now(key)
  if (!(leftMs >= 1)) return undefined
  const old = decodeValue(engine, key, entry)
  if (old === undecodable) return undefined
  try {
    const value = upgrade(old, key.version)
    // It is refused below. What becomes of it must not end the process.
    if (value instanceof Promise) value.catch(() => {})
    if (value === undefined) return undefined
    schema?.check(key.key, value)
    // Found out here, where the value can still be loaded instead.
    engine.codec.encode(key, value, entry, entry.token)
    const tags = tagsOf?.(key.key, params, value) ?? []
    const isStored = shouldCache?.(key.key, value, params) !== false
    if (isDeferred(engine, entry, tags, askedAt)) return undefined
    context.tags.add(...entry.tags, ...tags)
    context.setTtl(leftMs)
    if (!isStored) context.skip()
    return value
  } catch (error) {
    if (engine.events.topics['decode-error'].heard) {
      engine.events.emit('decode-error', { ...recordBase(engine, key), reason: 'upgrade', bytes: entry.encodedBytes, error })
    }
    return undefined
  }
}
