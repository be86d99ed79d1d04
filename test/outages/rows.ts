import { setTimeout as passed } from 'node:timers/promises'
import { OwnRedis } from '../faults/own-redis.ts'
import { FaultProxy } from '../faults/fault-proxy.ts'
import { sharedNowMs } from '../fleet/messages.ts'
import { clusterRows } from './cluster-rows.ts'
import type { Load, Seen } from './messages.ts'
import { OutageFleet } from './outage-fleet.ts'
import { failoverRow } from './sentinel-row.ts'

export type Size = 'short' | 'full'

/** What a row has shown. */
export interface Shown {
  readonly seen: readonly Seen[]
  /** From the end of the fault to the first answer of Redis in the process that got it last; undefined where the fault does not end. */
  readonly recoveryMs: number | undefined
  readonly notes: readonly string[]
  /** What does not hold. */
  readonly problems: readonly string[]
}

export interface Row {
  readonly name: string
  readonly title: string
  run(size: Size): Promise<Shown>
}

const load: Load = { perSecond: 500, keys: 200, loadMs: 20 }
const processes = 2

interface Stage {
  readonly redis: OwnRedis
  readonly proxy: FaultProxy
}

/** A row whose fault begins under load, lasts for a while and ends under load. */
function row(
  name: string,
  title: string,
  lastsMs: Readonly<Record<Size, number>>,
  fault: { begin(stage: Stage): Promise<void> | void; end(stage: Stage): Promise<void> | void },
): Row {
  return {
    name,
    title,
    async run(size) {
      const redis = await OwnRedis.start()
      await using proxy = await FaultProxy.start(redis.port)
      try {
        await using fleet = await OutageFleet.start(Array.from({ length: processes }, () => proxy.url))
        const stage = { redis, proxy }
        await fleet.load(load)
        await passed(size === 'full' ? 3000 : 1500)
        const before = await fleet.take()
        await fault.begin(stage)
        await passed(lastsMs[size])
        const during = await fleet.take()
        await fault.end(stage)
        const mendedAt = sharedNowMs()
        await passed(size === 'full' ? 4000 : 2500)
        const after = await fleet.take(mendedAt)
        await fleet.stop()
        return judge(before, during, after, mendedAt)
      } finally {
        redis.resume()
        await redis.stop()
      }
    },
  }
}

function judge(before: readonly Seen[], during: readonly Seen[], after: readonly Seen[], mendedAt: number): Shown {
  const recoveryMs = Math.max(...after.map(({ firstVouchedAt }) => (firstVouchedAt ?? Infinity) - mendedAt))
  const errors = [...before, ...during, ...after].flatMap(({ errors: each }) => Object.entries(each))
  const mostLoads = Math.max(...during.map(({ mostLoadsPerTtl }) => mostLoadsPerTtl))
  return {
    seen: during,
    recoveryMs,
    notes: [],
    problems: [
      ...errors.map(([code, count]) => `${count} calls rejected with ${code}`),
      ...(mostLoads > 1 ? [`a key was loaded ${mostLoads} times within one outage ttl by one process`] : []),
      ...(recoveryMs === Infinity ? ['Redis was not used again'] : []),
    ],
  }
}

const overload: Row = {
  name: 'overload',
  title: 'Redis gone, 2,000 requests/s on 10,000 cold keys, a source that can do 100/s',
  async run(size) {
    const redis = await OwnRedis.start()
    await using fleet = await OutageFleet.start([redis.url], { maxConcurrentLoads: 10, timeout: { hard: '2s' } })
    await redis.kill()
    await passed(500)
    await fleet.load({ perSecond: 2000, keys: 10_000, loadMs: 100 })
    await passed(size === 'full' ? 20_000 : 4000)
    const [during] = (await fleet.take()) as [Seen]
    await redis.restart()
    const mendedAt = sharedNowMs()
    await passed(size === 'full' ? 10_000 : 4000)
    const [after] = (await fleet.take(mendedAt)) as [Seen]
    await fleet.stop()
    await redis.stop()
    const others = Object.keys(during.errors).filter(code => code !== 'OVERLOADED' && code !== 'LOAD_TIMEOUT')
    return {
      seen: [during],
      recoveryMs: (after.firstVouchedAt ?? Infinity) - mendedAt,
      notes: [
        `${during.mostLoadersAtOnce} loaders at once`,
        `heap ${during.heapMb.toFixed(0)} MiB at most`,
        `${during.errors['OVERLOADED'] ?? 0} refused of ${during.calls}`,
      ],
      problems: [
        ...(during.mostLoadersAtOnce > 10 ? [`${during.mostLoadersAtOnce} loaders ran at once`] : []),
        ...others.map(code => `calls rejected with ${code}`),
        ...((during.errors['OVERLOADED'] ?? 0) === 0 ? ['nothing was refused'] : []),
        ...(after.firstVouchedAt === undefined ? ['Redis was not used again'] : []),
      ],
    }
  },
}

/** Every outage that is tried under load. */
export const rows: readonly Row[] = [
  row(
    'stopped',
    'Redis stands still (SIGSTOP)',
    { full: 10_000, short: 3000 },
    {
      begin: ({ redis }) => redis.pause(),
      end: ({ redis }) => redis.resume(),
    },
  ),
  row(
    'killed',
    'Redis is killed and comes back empty',
    { full: 60_000, short: 3000 },
    {
      begin: ({ redis }) => redis.kill(),
      end: ({ redis }) => redis.restart(),
    },
  ),
  row(
    'reset',
    'all connections are reset',
    { full: 1000, short: 1000 },
    {
      begin: ({ proxy }) => proxy.resetAll(),
      end: () => {},
    },
  ),
  row(
    'half-open',
    'packets vanish, connections stand',
    { full: 10_000, short: 3000 },
    {
      begin: ({ proxy }) => {
        proxy.hold('requests')
        proxy.hold('replies')
      },
      end: ({ proxy }) => proxy.release(),
    },
  ),
  row(
    'slow',
    'every reply comes 300 ms late',
    { full: 10_000, short: 3000 },
    {
      begin: ({ proxy }) => proxy.delay('replies', 300),
      end: ({ proxy }) => proxy.delay('replies', 0),
    },
  ),
  overload,
  failoverRow,
  ...clusterRows,
]
