import { openCacheAside } from './cache-aside.ts'
import type { Contender, ContenderSettings } from './contender.ts'
import { openInProcessMap } from './in-process-map.ts'
import { openLeasehold } from './leasehold.ts'
import { openLeaseholdTrust } from './leasehold-trust.ts'
import { openNoCache } from './no-cache.ts'
import { openStaleWhileRevalidate } from './stale-while-revalidate.ts'

export const contenderIds = ['none', 'map', 'cache-aside', 'swr', 'leasehold', 'leasehold-trust'] as const
export type ContenderId = (typeof contenderIds)[number]

interface Description {
  readonly title: string
  /** For a reader who does not know the code. */
  readonly what: string
  readonly ours: boolean
  readonly open: (settings: ContenderSettings) => Contender
}

export const contenders: Readonly<Record<ContenderId, Description>> = {
  none: { title: 'no cache', what: 'Every read is a query to the database.', ours: false, open: openNoCache },
  map: {
    title: 'in-process map',
    what: 'Each process keeps a map with a lifetime per entry. An invalidation reaches only the process that it happens in.',
    ours: false,
    open: openInProcessMap,
  },
  'cache-aside': {
    title: 'cache-aside',
    what: 'The usual twenty lines on ioredis, with its default options: look in Redis, else query and store; delete on a write.',
    ours: false,
    open: openCacheAside,
  },
  swr: {
    title: 'stale-while-revalidate',
    what: 'Cache-aside that goes on answering with an expired value for one lifetime more while a refresh runs, one at a time in each process.',
    ours: false,
    open: openStaleWhileRevalidate,
  },
  leasehold: {
    title: 'Leasehold',
    what: 'Leasehold with its default options. It never answers with an expired value here.',
    ours: true,
    open: settings => openLeasehold(settings),
  },
  'leasehold-trust': {
    title: 'Leasehold, local tier',
    what: 'Leasehold with a trusted local tier: each process answers from its memory until it hears that a product has changed, some milliseconds after the change.',
    ours: true,
    open: openLeaseholdTrust,
  },
}
