import type { Call } from '../calls/call.ts'
import { reportStoreError, type Engine } from '../engine.ts'
import type { Entry, EntryKey } from '../ports.ts'
import { unionOf } from './check-tags.ts'

/** Whether look-ups of tags have been needed lately. Then calls that name tags ask for them in the same trip as for the entry. */
export interface TagLookups {
  likely: boolean
}

/** The newest sequence of the tags that the call names, asked for along with its entry. A failure shows when it is needed. */
export function askAlong(engine: Engine, call: Call): Promise<number> {
  const newest = engine.store.newestTag({ tags: call.policy.tags, timeoutMs: engine.options.commandTimeoutMs })
  newest.catch(() => {})
  return newest
}

/**
 * Whether a tag of the entry, or one that its reader names, has been invalidated since it was stamped. Readers' tags count too, so that an entry
 * from before the code named a tag goes with it.
 *
 * @param asked The newest sequence of the named tags, if it has been asked for already.
 * @throws StoreError
 */
export async function hasNewerTag(
  engine: Engine,
  entry: Entry,
  named: readonly string[],
  timeoutMs: number,
  asked?: Promise<number>,
): Promise<boolean> {
  const tags = unionOf(named, entry.tags)
  const newest = asked !== undefined && tags.length === named.length ? asked : engine.store.newestTag({ tags, timeoutMs })
  return (await newest) > entry.stampSequence
}

/**
 * What becomes of an entry by the record that came with it, or was asked for with it. `unsure`: the record may be the older of the two, or the store failed
 * to look up tags, which is reported.
 */
export async function verdictOn(
  engine: Engine,
  key: EntryKey,
  entry: Entry,
  record: Buffer | null,
  named: readonly string[],
  timeoutMs: number,
): Promise<'valid' | 'invalid' | 'unsure'> {
  const standing = entry.standing(record, named.length > 0)
  if (standing === 'valid') return standing
  if (standing !== 'moved') return standing === 'cleared' ? 'invalid' : 'unsure'
  try {
    return (await hasNewerTag(engine, entry, named, timeoutMs)) ? 'invalid' : 'valid'
  } catch (error) {
    reportStoreError(engine, 'newest-tag', key, error)
    return 'unsure'
  }
}
