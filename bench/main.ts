import { findRedis } from '../scripts/find-redis.ts'
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

const usage = `npm run bench -- [--quick] [--rounds <n>] [--only hit-path|breaker|local-tier|batches|tags|codecs|observing] [--entries <n>]

Throughput of getOrSet hits beside raw ioredis getBuffer of the same bytes, of hits with the breaker beside hits without, of hits from memory beside a bare lru-cache, of batches of 10,000 beside one raw mgetBuffer, of tagged values beside untagged ones, invalidateTags of a tag
with many entries (--entries, 100,000 unless told) beside one with a single entry, the cost of codecs, and what
metrics, traces and logs cost a hit and a scrape, in interleaved rounds.
Read the ratios: absolute figures change with the machine and what else it does.`

const flags = new Set(process.argv.slice(2))
const only = valueOf('--only')
const defaultRounds = 11
const quickRounds = 3
const defaultEntries = 100_000
const manyKeys = 1_000_000
const quickKeys = 20_000

function valueOf(flag: string): string | undefined {
  const at = process.argv.indexOf(flag)
  return at === -1 ? undefined : process.argv[at + 1]
}

function wholeNumber(flag: string, otherwise: number): number {
  const given = valueOf(flag)
  if (given === undefined) return otherwise
  const value = Number(given)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`${flag} takes a whole number above 0`)
}

async function run(): Promise<void> {
  if (flags.has('--help')) return console.log(usage)
  const rounds = wholeNumber('--rounds', flags.has('--quick') ? quickRounds : defaultRounds)
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}`)
  if (only === undefined || only === 'hit-path') await hitPath(rounds)
  if (only === undefined || only === 'breaker') await breaker(rounds)
  if (only === undefined || only === 'local-tier') await localTier(rounds)
  if (only === undefined || only === 'batches') await batches(rounds)
  if (only === undefined || only === 'tags') await tags(rounds)
  if (only === undefined || only === 'codecs') benchCodecs()
  if (only === undefined || only === 'observing') await observing(rounds)
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
  const entries = wholeNumber('--entries', defaultEntries)
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
  const { keys, before, after } = await countSeries(flags.has('--quick') ? quickKeys : manyKeys)
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
