import type { createEntryCodec } from '../codec/entry-codec.ts'
import { floorOf, type Keys } from '../redis/keys.ts'
import type { Deployment } from './deployment.ts'

type Opened = ReturnType<ReturnType<typeof createEntryCodec>['open']>
type Entry = Exclude<Opened, { readonly unreadable: unknown }>

/** Whether something broader than its own key has invalidated an entry. */
export interface EntryStanding {
  readonly tags: readonly string[]
  /** `forgotten`: the record or the table of the namespace is gone, so nothing from before counts. */
  readonly validity: 'valid' | 'cleared' | 'tags' | 'forgotten'
  readonly invalidatedTags: readonly string[]
}

/** Judges an entry by the record of its namespace and, where that is newer, by the table of tags. */
export async function readStanding(deployment: Deployment, keys: Keys, entry: Entry): Promise<EntryStanding> {
  const { tags } = entry
  const record = await deployment.ask(keys.namespaceSlot, redis => redis.getBuffer(keys.record))
  const standing = entry.standing(record, false)
  if (standing === 'valid') return { tags, validity: 'valid', invalidatedTags: [] }
  if (standing === 'cleared') return { tags, validity: 'cleared', invalidatedTags: [] }
  if (standing === 'unknown') return { tags, validity: 'forgotten', invalidatedTags: [] }
  const [forgotten, ...scores] = (await deployment.ask(keys.namespaceSlot, redis =>
    redis.call('ZMSCORE', keys.tagTable, floorOf(entry.epoch), ...tags),
  )) as (string | null)[]
  const isNewer = (score: string | null | undefined): boolean => Number(score ?? 0) > entry.stampSequence
  if (forgotten === null || isNewer(forgotten)) return { tags, validity: 'forgotten', invalidatedTags: [] }
  const invalidatedTags = tags.filter((_, at) => isNewer(scores[at]))
  return { tags, validity: invalidatedTags.length === 0 ? 'valid' : 'tags', invalidatedTags }
}
