import type { Call } from '../calls/call.ts'
import { reportStoreError, type Engine } from '../engine.ts'
import type { Entry, EntryKey } from '../ports.ts'
import { unionOf } from './check-tags.ts'
import { epochAt, isRecord } from './namespace-record.ts'

/** A look-up of the tags that a call names, under way. */
export interface AskedTags {
  /** The epoch that the record had last: most likely the entry's. */
  readonly epoch: Buffer
  readonly newest: Promise<number>
}

/** Whether look-ups of tags have been needed lately. Then calls that name tags ask for them in the same trip as for the entry. */
export interface TagLookups {
  likely: boolean
}

/** The newest sequence of the tags that the call names, asked for along with its entry. A failure shows when it is needed. */
export function askAlong({ store, options }: Engine, call: Call): AskedTags | undefined {
  const { namespaceRecord } = store
  if (!isRecord(namespaceRecord)) return undefined
  const epoch = epochAt(namespaceRecord, 0)
  const newest = store.newestTag({ epoch, tags: call.policy.tags, timeoutMs: options.commandTimeoutMs })
  newest.catch(() => {})
  return { epoch, newest }
}

/**
 * Whether a tag of the entry, or one that its reader names, has been invalidated since it was stamped. Readers' tags count too, so that an entry
 * from before the code named a tag goes with it.
 *
 * @param asked The look-up of the named tags, if it is under way already.
 * @throws StoreError
 */
export async function hasNewerTag(
  engine: Engine,
  entry: Entry,
  named: readonly string[],
  timeoutMs: number,
  asked?: AskedTags,
): Promise<boolean> {
  const tags = unionOf(named, entry.tags)
  const { epoch } = entry
  const { journal } = engine.outage
  const { doubts } = journal
  const fits = asked !== undefined && tags.length === named.length && asked.epoch.equals(epoch)
  const newest = fits ? asked.newest : engine.store.newestTag({ epoch, tags, timeoutMs })
  // Another server may have answered meanwhile, which has forgotten what this process has invalidated.
  return (await newest) > entry.stampSequence || journal.doubts !== doubts
}

/**
 * What becomes of an entry by the record that came with it, or was asked for with it. `unsure`: the record may be the older of the two, or the store failed
 * to look up tags, which is reported.
 *
 * @param askedAt The sequence number at which the store was asked for it, or an earlier one.
 */
export async function verdictOn(
  engine: Engine,
  key: EntryKey,
  entry: Entry,
  record: Buffer | null,
  named: readonly string[],
  timeoutMs: number,
  askedAt: number,
): Promise<'valid' | 'invalid' | 'unsure'> {
  if (isDeferred(engine, entry, named, askedAt)) return 'invalid'
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

/** Whether the entry has been invalidated by a tag in a way that the store does not know of, or did not when it was asked. */
export function isDeferred({ outage }: Engine, entry: Entry, named: readonly string[], askedAt: number): boolean {
  const { tags } = entry
  if (tags.length === 0 && named.length === 0) return false
  return outage.journal.blocksTags(tags, askedAt) || outage.journal.blocksTags(named, askedAt)
}
