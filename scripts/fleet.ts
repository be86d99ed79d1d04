/** `npm run fleet`: what a fleet promises, in full numbers and with the milliseconds that tests do not assert, beside a minimal control. */
import { availableParallelism } from 'node:os'
import type { FleetCache } from '../test/fleet/fleet-cache.ts'
import { startFleet, type Fleet } from '../test/fleet/fleet.ts'
import type { MemberCacheOptions, Subject } from '../test/fleet/messages.ts'
import {
  coldKey,
  forgetEverywhere,
  hotKey,
  invalidateDuringLoad,
  killedHolder,
  stoppedHolder,
  type Invalidation,
  type Origin,
} from '../test/fleet/scenarios.ts'
import { findRedis } from './find-redis.ts'
import { readFlags, refuse, texts, whole } from './flags.ts'
import { startRedis } from './start-redis.ts'

interface Row {
  readonly what: string
  readonly counts: string
  readonly asked: string
  readonly holds: boolean | undefined
  readonly ms: string
}

const rows: Row[] = []

function report(row: Row): void {
  rows.push(row)
  process.stderr.write(`${row.what}: ${row.counts}${row.ms === '' ? '' : `, ${row.ms}`}\n`)
}

async function withCache<Result>(
  fleet: Fleet,
  processes: number,
  options: MemberCacheOptions,
  run: (cache: FleetCache) => Promise<Result>,
  subject: Subject = 'leasehold',
): Promise<Result> {
  const cache = await fleet.open(options, { processes, subject })
  try {
    return await run(cache)
  } finally {
    await cache.close()
  }
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN).toFixed(1)
}

/**
 * @param before How many short stampedes come first. One compiles the code of both subjects; after some hundreds it is optimized, as in a process that
 * has served for a while.
 */
async function stampedes(fleet: Fleet, takesMs: number, before: number): Promise<void> {
  const subjects: readonly Subject[] = ['leasehold', 'control']
  const seen = new Map(subjects.map(subject => [subject, { loads: [] as number[], excessMs: [] as number[] }]))
  const caches = await Promise.all(subjects.map(subject => fleet.open({}, { processes: 6, subject })))
  // In turns, so that both meet the same machine.
  for (let run = -before; run < flags.runs; run++) {
    for (const [which, subject] of subjects.entries()) {
      const { loads, excessMs } = await coldKey(caches[which] as FleetCache, { callers: 50, takesMs: run < 0 ? 2 : takesMs })
      if (run < 0) continue
      seen.get(subject)?.loads.push(loads)
      seen.get(subject)?.excessMs.push(...excessMs)
    }
  }
  await Promise.all(caches.map(cache => cache.close()))
  for (const [subject, { loads, excessMs }] of seen) {
    const once = loads.filter(count => count === 1).length
    report({
      what: `cold key, 6 × 50 callers, ${takesMs} ms loader, ${before === 1 ? 'new' : 'warm'} processes (${subject})`,
      counts: `1 load in ${once} of ${flags.runs} runs`,
      asked: `${flags.runs} of ${flags.runs}`,
      holds: subject === 'control' ? undefined : once === flags.runs,
      ms: `answered after the load's end: p50 ${percentile(excessMs, 0.5)}, p99 ${percentile(excessMs, 0.99)}`,
    })
  }
}

async function manyReads(fleet: Fleet): Promise<void> {
  for (const subject of ['leasehold', 'control'] as const) {
    const { loads, excessMs } = await withCache(fleet, 10, {}, cache => coldKey(cache, { callers: 1000, takesMs: 200 }), subject)
    report({
      what: `cold key, 10 × 1,000 reads (${subject})`,
      counts: `${loads} loads`,
      asked: '1',
      holds: subject === 'control' ? undefined : loads === 1,
      ms: `answered after the load's end: p50 ${percentile(excessMs, 0.5)}, p99 ${percentile(excessMs, 0.99)}`,
    })
  }
}

async function hotKeys(fleet: Fleet): Promise<void> {
  const forms: readonly { readonly name: string; readonly most: number; readonly options: MemberCacheOptions }[] = [
    { name: 'staleWhileRevalidate', most: 10, options: { ttl: '1s', staleWhileRevalidate: '10s', refresh: false } },
    { name: 'xfetch alone', most: 15, options: { ttl: '1s', jitter: 0, refresh: 'xfetch' } },
  ]
  for (const { name, most, options } of forms) {
    const load = { perSecond: 500, forMs: 8000, takesMs: 100 }
    const { calls, loads, misses, slowestMs } = await withCache(fleet, 6, options, cache => hotKey(cache, load))
    report({
      what: `hot key, ttl 1 s, 500/s for 8 s, ${name}`,
      counts: `${loads} loads, ${misses} of ${calls} calls met a load`,
      asked: `≤ ${most}, 0`,
      holds: loads <= most && misses === 0,
      ms: `slowest call ${slowestMs.toFixed(0)}`,
    })
  }
}

async function localTiers(fleet: Fleet): Promise<void> {
  const options: MemberCacheOptions = { local: { mode: 'trust' }, values: 'freeze' }
  const { goneAfterMs } = await withCache(fleet, 8, options, cache => forgetEverywhere(cache, flags.runs * 5))
  report({
    what: 'delete, 8 processes with trusted copies',
    counts: `gone everywhere in ${goneAfterMs.length} of ${flags.runs * 5} rounds`,
    asked: `${flags.runs * 5} of ${flags.runs * 5}`,
    holds: goneAfterMs.length === flags.runs * 5,
    ms: `from the delete's sending until the last copy is gone: p50 ${percentile(goneAfterMs, 0.5)}, p99 ${percentile(goneAfterMs, 0.99)}`,
  })
}

async function races(fleet: Fleet): Promise<void> {
  for (const invalidation of ['delete', 'set', 'expire'] satisfies Invalidation[]) {
    for (const origin of ['the same process', 'another process'] satisfies Origin[]) {
      const { reads, outdated, failures } = await withCache(fleet, 3, {}, cache =>
        invalidateDuringLoad(cache, invalidation, origin, 200),
      )
      report({
        what: `${invalidation} while 200 loaders run, ${origin}`,
        counts: `${outdated} outdated of ${reads} reads, ${failures} failures`,
        asked: '0, 0',
        holds: outdated === 0 && failures === 0,
        ms: '',
      })
    }
  }
  const stopped = { reads: 0, outdated: 0, lost: 0 }
  await withCache(fleet, 3, { lease: 100 }, async cache => {
    for (let round = 0; round < 10; round++) {
      const { reads, outdated, lost } = await stoppedHolder(cache, fleet.redisUrl, 10)
      stopped.reads += reads
      stopped.outdated += outdated
      stopped.lost += lost
    }
  })
  report({
    what: 'holder stopped past its lease, 10 × 10 keys',
    counts: `${stopped.outdated} outdated of ${stopped.reads} reads, ${stopped.lost} commits refused`,
    asked: '0, 100',
    holds: stopped.outdated === 0 && stopped.lost === 100,
    ms: '',
  })
}

async function kills(fleet: Fleet): Promise<void> {
  const delaysMs: number[] = []
  let right = 0
  const most = Math.min(flags.runs, 10)
  for (let run = 0; run < most; run++) {
    const { loads, answers, delayMs } = await withCache(fleet, 6, { lease: '1s' }, cache =>
      killedHolder(cache, fleet.redisUrl, 50),
    )
    if (loads === 2 && answers['source-0'] === 250) right++
    delaysMs.push(delayMs)
    await fleet.grow(1)
  }
  report({
    what: 'holder killed, 6 × 50 callers, lease 1 s',
    counts: `2 loads and all answered in ${right} of ${most} runs`,
    asked: `${most} of ${most}`,
    holds: right === most,
    ms: `from the kill to the next load: longest ${Math.max(...delaysMs).toFixed(0)} (promised: 1100)`,
  })
}

function print(): void {
  const columns = ['what', 'counts', 'asked', 'holds', 'ms'] as const
  const lines = [
    { what: 'scenario', counts: 'counted', asked: 'asked for', holds: '', ms: 'measured, ms' },
    ...rows.map(row => ({ ...row, holds: row.holds === undefined ? 'control' : row.holds ? 'ok' : 'NO' })),
  ]
  const widths = columns.map(column => Math.max(...lines.map(line => line[column].length)))
  process.stdout.write(`Node ${process.version}, ${availableParallelism()} cores\n`)
  for (const line of lines) {
    process.stdout.write(
      `${columns
        .map((column, index) => line[column].padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
  }
}

const parts: Readonly<Record<string, (fleet: Fleet) => Promise<void>>> = {
  stampedes: async fleet => {
    await stampedes(fleet, 200, 1)
    await stampedes(fleet, 200, 300)
  },
  'slow-stampedes': fleet => stampedes(fleet, 3000, 1),
  reads: manyReads,
  'hot-keys': hotKeys,
  'local-tiers': localTiers,
  races,
  kills,
}

const names = Object.keys(parts)
const help = `npm run fleet -- [flags]

What a fleet of processes promises, in full numbers and with the milliseconds that tests do not assert, beside a minimal control.

  --only <name>  runs this part; may be given again. There are ${names.join(', ')}
  --runs <n>     of each stampede; 20 unless told

Ends with 1 when a count is not what it must be.`

const flags = readFlags(help, { only: texts, runs: whole(1, 20) })
const unknown = (flags.only ?? []).filter(name => !names.includes(name))
if (unknown.length > 0) refuse(`there is no part ${unknown.join(', ')}; there are ${names.join(', ')}`)

async function main(): Promise<number> {
  const found = await findRedis()
  if (found.kind === 'none') {
    process.stderr.write(`${found.advice}\n`)
    return 1
  }
  const own = found.kind === 'program' ? await startRedis({ program: found.path }) : undefined
  const fleet = await startFleet({ processes: 10, redisUrl: found.kind === 'url' ? found.url : (own?.url ?? '') })
  try {
    for (const [name, show] of Object.entries(parts)) if (flags.only?.includes(name) ?? true) await show(fleet)
  } finally {
    await fleet.stop()
    await own?.stop()
  }
  print()
  return rows.every(row => row.holds !== false) ? 0 : 1
}

process.exitCode = await main()
