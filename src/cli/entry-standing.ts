import type { StoredEntry } from '../codec/stored-entry.ts'
import { floorOf, type Keys } from '../redis/keys.ts'
import type { Deployment } from './deployment.ts'

type Entry = Pick<StoredEntry, 'tags' | 'epoch' | 'stampSequence' | 'standing'>

/** Whether something broader than its own key has invalidated an entry. */
export interface EntryStanding {
  readonly tags: readonly string[]
  /** `forgotten`: the record or the table of the namespace is gone, so nothing from before counts. */
  readonly validity: 'valid' | 'cleared' | 'tags' | 'forgotten'
  readonly invalidatedTags: readonly string[]
}

const tagsPerCommand = 1_000
const validities = { valid: 'valid', cleared: 'cleared', unknown: 'forgotten' } as const

/**
 * Judges entries of a namespace by its record and, where that is newer, by the table of tags. The entries must have been read before, since an
 * entry may be newer than an older record.
 */
export async function readStandings(
  deployment: Deployment,
  keys: Keys,
  entries: readonly Entry[],
): Promise<readonly EntryStanding[]> {
  const record = await deployment.ask(keys.namespaceSlot, redis => redis.getBuffer(keys.record))
  const moved = entries.filter(entry => entry.standing(record, false) === 'moved')
  const [epoch] = moved.map(entry => entry.epoch)
  // Those that have moved are of the record's epoch.
  const newest = epoch === undefined ? new Map<string, number>() : await readTags(deployment, keys, epoch, moved)
  return entries.map(entry => {
    const { tags, stampSequence } = entry
    const standing = entry.standing(record, false)
    if (standing !== 'moved') return { tags, validity: validities[standing], invalidatedTags: [] }
    const isNewer = (score: number | undefined): boolean => (score ?? 0) > stampSequence
    if (newest === undefined || isNewer(newest.get(floor))) return { tags, validity: 'forgotten', invalidatedTags: [] }
    const invalidatedTags = tags.filter(tag => isNewer(newest.get(tag)))
    return { tags, validity: invalidatedTags.length === 0 ? 'valid' : 'tags', invalidatedTags }
  })
}

/** Stands for what the table has forgotten; no tag is empty. */
const floor = ''

/** When each tag of the entries was invalidated last; undefined without a table. */
async function readTags(
  deployment: Deployment,
  keys: Keys,
  epoch: Buffer,
  entries: readonly Entry[],
): Promise<ReadonlyMap<string, number> | undefined> {
  const tags = [...new Set(entries.flatMap(entry => entry.tags))]
  const newest = new Map<string, number>()
  for (let at = 0; at === 0 || at < tags.length; at += tagsPerCommand) {
    const asked = tags.slice(at, at + tagsPerCommand)
    const [forgotten, ...scores] = (await deployment.ask(keys.namespaceSlot, redis =>
      redis.call('ZMSCORE', keys.tagTable, floorOf(epoch), ...asked),
    )) as [string | null, ...(string | null)[]]
    if (forgotten === null) return undefined
    newest.set(floor, Math.max(newest.get(floor) ?? 0, Number(forgotten)))
    for (const [place, tag] of asked.entries()) newest.set(tag, Number(scores[place] ?? 0))
  }
  return newest
}
