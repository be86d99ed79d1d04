import type { Redis } from 'ioredis'
import { headerBytes } from '../../codec/header.ts'
import { parseKey } from '../../redis/parse-key.ts'
import { viewHeader, viewLease } from '../entry-view.ts'
import { lookWhereScanned } from '../while-slots-move.ts'
import { resourceId, resourceName } from './resource-name.ts'

/** What was seen of the keys of one kind. */
export interface ResourceTally {
  readonly owner: string
  readonly resource: string
  /** Entries among the keys scanned. */
  entries: number
  /** Of those that were looked at. */
  looked: number
  fresh: number
  bytes: number
  readonly loadsMs: number[]
  readonly heats: number[]
  loading: number
  waitedFor: number
}

export interface LookOptions {
  /** How many entries to look at; leases are all looked at. */
  readonly entries: number
  readonly serverNowMs: number
  /** Whether Redis counts accesses. */
  readonly lfu: boolean
}

/** Sorts keys by resource, and looks at some of the entries and all of the leases. */
export async function lookAtKeys(
  redis: Redis,
  names: readonly string[],
  options: LookOptions,
): Promise<Map<string, ResourceTally>> {
  const tallies = new Map<string, ResourceTally>()
  const entries = new Map<ResourceTally, string[]>()
  const looks: Promise<void>[] = []
  for (const name of names) {
    const stored = parseKey(name)
    if (stored === undefined || stored.key === '') continue
    const tally = tallyOf(tallies, stored.owner, resourceName(stored.key))
    if (stored.kind === 'lease') looks.push(lookAtLease(redis, name, tally))
    else {
      tally.entries++
      const siblings = entries.get(tally)
      if (siblings === undefined) entries.set(tally, [name])
      else siblings.push(name)
    }
  }
  for (const [tally, chosen] of fairShares(entries, options.entries)) {
    for (const name of chosen) looks.push(lookAtEntry(redis, name, tally, options))
  }
  await Promise.all(looks)
  return tallies
}

/** As many of each as of any other, as far as there are; what small ones leave over goes to the larger. */
function fairShares<Group>(groups: ReadonlyMap<Group, readonly string[]>, most: number): [Group, readonly string[]][] {
  let left = most
  const smallestFirst = [...groups].toSorted(([, a], [, b]) => a.length - b.length)
  return smallestFirst.map(([group, names], at) => {
    const share = Math.floor(left / (smallestFirst.length - at))
    left -= Math.min(share, names.length)
    return [group, names.slice(0, share)]
  })
}

function tallyOf(tallies: Map<string, ResourceTally>, owner: string, resource: string): ResourceTally {
  const id = resourceId(owner, resource)
  let tally = tallies.get(id)
  if (tally === undefined) {
    tally = { owner, resource, entries: 0, looked: 0, fresh: 0, bytes: 0, loadsMs: [], heats: [], loading: 0, waitedFor: 0 }
    tallies.set(id, tally)
  }
  return tally
}

const nothing = Buffer.alloc(0)
/** What PTTL says of a key that is not there. */
const gone = -2

async function lookAtEntry(redis: Redis, name: string, tally: ResourceTally, { serverNowMs, lfu }: LookOptions): Promise<void> {
  const [heat, bytes, header] = await Promise.all([
    // First, since to read the header counts as an access.
    lfu ? lookWhereScanned(redis, undefined, node => node.object('FREQ', name).then(Number)).catch(() => undefined) : undefined,
    lookWhereScanned(redis, 0, node => node.strlen(name)).catch(() => 0),
    lookWhereScanned(redis, nothing, node => node.getrangeBuffer(name, 0, headerBytes - 1)).catch(() => nothing),
  ])
  const view = viewHeader(header, serverNowMs)
  if (view === undefined) return
  tally.looked++
  tally.bytes += bytes
  if (view.freshness === 'fresh') tally.fresh++
  if (view.loadMs > 0) tally.loadsMs.push(view.loadMs)
  if (heat !== undefined) tally.heats.push(heat)
}

async function lookAtLease(redis: Redis, name: string, tally: ResourceTally): Promise<void> {
  const [bytes, remainingMs] = await Promise.all([
    lookWhereScanned(redis, null, node => node.getBuffer(name)).catch(() => null),
    lookWhereScanned(redis, gone, node => node.pttl(name)),
  ])
  const { state } = viewLease(bytes, remainingMs)
  if (state === 'held' || state === 'waited for' || state === 'unqueued') tally.loading++
  if (state === 'waited for') tally.waitedFor++
}
