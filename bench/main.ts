import { findRedis } from '../scripts/find-redis.ts'
import { off, readFlags, refuse, texts, whole } from '../scripts/flags.ts'
import { startRedis } from '../scripts/start-redis.ts'
import { benchBatches } from './batches.ts'
import { benchBreaker } from './breaker.ts'
import { benchCodecs } from './codecs.ts'
import { benchHitPath } from './hit-path.ts'
import { benchLocalTier } from './local-tier.ts'
import type { Measurement } from './measurement.ts'
import { benchObserving } from './observing.ts'
import { printTable } from './print-table.ts'
import { benchInvalidateTags, benchTaggedHits } from './tags.ts'
import { benchScrapes, countSeries } from './scrapes.ts'
import { benchValidate } from './validate.ts'

const parts: Readonly<Record<string, (rounds: number) => Promise<void> | void>> = {
  'hit-path': hitPath,
  breaker,
  'local-tier': localTier,
  batches,
  tags,
  codecs: benchCodecs,
  observing,
}
const names = Object.keys(parts)
const manyKeys = 1_000_000
const quickKeys = 20_000

const help = `npm run bench -- [flags]

What Leasehold costs, each thing beside a control in the same interleaved rounds: hits beside raw ioredis getBuffer of the same bytes, with the breaker and without,
from memory beside a bare lru-cache, batches of 10,000 keys beside one raw mgetBuffer, tagged values beside untagged ones, codecs, and metrics, traces and logs.
Read the ratios: absolute figures change with the machine and what else it does.

  --only <name>   runs this part; may be given again. There are ${names.join(', ')}
  --rounds <n>    11 unless told
  --entries <n>   of the tag with many; 100,000 unless told
  --quick         3 rounds: shows that it runs`

const flags = readFlags(help, { only: texts, rounds: whole(1, undefined), entries: whole(1, 100_000), quick: off })
const unknown = (flags.only ?? []).filter(name => !names.includes(name))
if (unknown.length > 0) refuse(`there is no part ${unknown.join(', ')}; there are ${names.join(', ')}`)

async function run(): Promise<void> {
  const rounds = flags.rounds ?? (flags.quick ? 3 : 11)
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}`)
  for (const [name, measure] of Object.entries(parts)) if (flags.only?.includes(name) ?? true) await measure(rounds)
}

async function withRedis<Result>(measure: (url: string) => Promise<Result>): Promise<Result> {
  const found = await findRedis()
  if (found.kind === 'none') throw new Error(found.advice)
  const own = found.kind === 'program' ? await startRedis({ program: found.path }) : undefined
  try {
    return await measure(own?.url ?? (found.kind === 'url' ? found.url : ''))
  } finally {
    await own?.stop()
  }
}

async function hitPath(rounds: number): Promise<void> {
  console.log("\nHits: getOrSet(key, loader, { ttl: '1h' }), ratio to the control of the same round, medians")
  print(await withRedis(url => benchHitPath(url, rounds)))
}

async function breaker(rounds: number): Promise<void> {
  console.log("\nHits, values: 'freeze', with and without the breaker, ratio to the control of the same round, medians")
  print(await withRedis(url => benchBreaker(url, rounds)))
}

async function localTier(rounds: number): Promise<void> {
  console.log("\nHits of a trusted local tier, values: 'freeze', ratio to lru-cache of the same round, medians")
  print(await benchLocalTier(rounds))
  console.log('\nHits of a validated local tier, ratio to the control of the same round, medians; sizes are those of entries')
  print(await withRedis(url => benchValidate(url, rounds)))
}

async function batches(rounds: number): Promise<void> {
  console.log('\nBatches: hits of 10,000 keys, ratio to the control of the same round, medians; per key')
  print(await withRedis(url => benchBatches(url, rounds)))
}

async function tags(rounds: number): Promise<void> {
  const { entries } = flags
  console.log('\nTags: hits, and invalidations, ratio to the control of the same round, medians')
  const hits = await withRedis(url => benchTaggedHits(url, rounds))
  print([...hits, ...(await withRedis(url => benchInvalidateTags(url, rounds, entries)))])
}

async function observing(rounds: number): Promise<void> {
  console.log('\nHits, 64 in flight: CPU time per call, lower quartile, and how much more than with nothing attached')
  const rows = await withRedis(url => benchObserving(url, rounds))
  printTable(
    ['store', 'values', 'attached', 'CPU ns', 'more', '%'],
    rows.map(({ store, values, name, cpuNs }) => {
      const nothing =
        rows.find(row => row.store === store && row.values === values && row.name === 'nothing')?.cpuNs ?? Number.NaN
      const more = cpuNs - nothing
      return [store, values, name, Math.round(cpuNs), Math.round(more), ((more / nothing) * 100).toFixed(1)]
    }),
  )
  console.log('\nA scrape of a cache with 100 resources, median and slowest of the rounds')
  const { lines, medianMs, slowestMs, cpuMs } = await benchScrapes(rounds)
  printTable(['lines', 'ms', 'slowest ms', 'CPU ms'], [[lines, ...[medianMs, slowestMs, cpuMs].map(ms => ms.toFixed(1))]])
  console.log('\nSeries of that cache')
  const { keys, before, after } = await countSeries(flags.quick ? quickKeys : manyKeys)
  printTable(['random keys', 'series before', 'after'], [[keys, before, after]])
}

function print(rows: readonly Measurement[]): void {
  printTable(
    ['payload', 'in flight', 'contender', 'calls/s', 'ratio', 'CPU µs'],
    rows.map(row => [row.payload, row.inFlight, row.name, Math.round(row.perSecond), row.ratio.toFixed(2), row.cpuUs.toFixed(1)]),
  )
}

run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
