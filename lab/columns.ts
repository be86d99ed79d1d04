import { count, milliseconds } from '../demo/paint.ts'
import type { Figures } from './figures.ts'

/** One figure as it is shown, on the terminal and in the report alike. */
export interface Column {
  readonly title: string
  /** For a reader who does not know the code. */
  readonly means: string
  readonly pick: (figures: Figures) => number
  readonly show: (value: number) => string
  /** Left out: neither is better. */
  readonly better?: 'lower' | 'higher'
  /** Differences below this are noise, in the unit of the figure. */
  readonly noise?: number
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const bytes = (number: number): string =>
  number < 1024 * 1024 ? `${(number / 1024).toFixed(0)} KiB` : `${(number / 1024 / 1024).toFixed(1)} MiB`

export const columns: readonly Column[] = [
  {
    title: 'p50',
    means: 'half of the reads were answered within this',
    pick: f => f.p50Ms,
    show: milliseconds,
    better: 'lower',
    noise: 0.5,
  },
  { title: 'p99', means: '99 of 100 reads were', pick: f => f.p99Ms, show: milliseconds, better: 'lower', noise: 1 },
  { title: 'p99.9', means: '999 of 1,000 reads were', pick: f => f.p999Ms, show: milliseconds, better: 'lower', noise: 2 },
  {
    title: 'queries',
    means: 'database queries of all reads',
    pick: f => f.databaseQueries,
    show: count,
    better: 'lower',
    noise: 3,
  },
  {
    title: 'avoided',
    means: 'the share of reads that caused no query',
    pick: f => f.readsAvoided,
    show: percent,
    better: 'higher',
    noise: 0.002,
  },
  {
    title: 'peak queries',
    means: 'the most queries under way at once',
    pick: f => f.peakConcurrentQueries,
    show: count,
    better: 'lower',
    noise: 2,
  },
  {
    title: 'peak of one product',
    means: 'the most queries for one product under way at once; 1 is no stampede',
    pick: f => f.peakLoadsOfOneProduct,
    show: count,
    better: 'lower',
  },
  {
    title: 'waited',
    means: 'reads that took at least half as long as the source',
    pick: f => f.waited,
    show: count,
    better: 'lower',
    noise: 5,
  },
  {
    title: 'stale',
    means: 'answers with a row that a write, acknowledged before the question, had replaced',
    pick: f => f.stale,
    show: count,
    better: 'lower',
  },
  {
    title: 'oldest stale',
    means: 'how long after that acknowledgement',
    pick: f => f.oldestStaleMs,
    show: milliseconds,
    better: 'lower',
  },
  {
    title: 'failed reads',
    means: 'reads that got an error, or no answer in time',
    pick: f => f.failedReads,
    show: count,
    better: 'lower',
  },
  {
    title: 'failed writes',
    means: 'writes that got an error, because nobody could say that the invalidation had happened, or no answer in time',
    pick: f => f.failedWrites,
    show: count,
    better: 'lower',
  },
  {
    title: 'deferred writes',
    means: 'writes that were told that the invalidation would happen as soon as the cache can be reached',
    pick: f => f.deferredWrites,
    show: count,
    better: 'lower',
  },
  {
    title: 'hit ratio',
    means: 'the share of reads that the cache could answer',
    pick: f => f.hitRatio,
    show: percent,
    better: 'higher',
    noise: 0.002,
  },
  {
    title: 'Redis commands',
    means: 'as Redis counts them, those inside scripts included',
    pick: f => f.redisCommands,
    show: count,
    better: 'lower',
    noise: 50,
  },
  {
    title: 'Redis memory',
    means: 'used at the end, the server itself included',
    pick: f => f.redisUsedBytes,
    show: bytes,
    better: 'lower',
    noise: 65_536,
  },
  {
    title: 'fragmentation',
    means: "of Redis's allocator; 1 is none",
    pick: f => f.redisFragmentation,
    show: ratio => ratio.toFixed(2),
    noise: 0.1,
  },
  {
    title: 'heap',
    means: 'what the service processes hold more than at first, after a garbage collection',
    pick: f => f.heapGrowthBytes,
    show: bytes,
    better: 'lower',
    noise: 2 * 1024 * 1024,
  },
  {
    title: 'CPU/request',
    means: 'CPU time of the service processes per request',
    pick: f => f.serviceCpuUsPerRequest,
    show: us => `${us.toFixed(0)} µs`,
    better: 'lower',
    noise: 10,
  },
]

/** What a terminal has room for. */
export const narrowColumns: readonly Column[] = columns.filter(({ title }) =>
  [
    'p50',
    'p99',
    'p99.9',
    'queries',
    'avoided',
    'peak queries',
    'waited',
    'stale',
    'failed reads',
    'failed writes',
    'deferred writes',
    'hit ratio',
  ].includes(title),
)
