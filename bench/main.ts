import { findRedis } from '../scripts/find-redis.ts'
import { startRedis } from '../scripts/start-redis.ts'
import { benchCodecs } from './codecs.ts'
import { benchHitPath } from './hit-path.ts'
import { printTable } from './print-table.ts'

const usage = `npm run bench -- [--quick] [--only hit-path|codecs]

Throughput of getOrSet hits beside raw ioredis getBuffer of the same bytes, and the cost of codecs, in interleaved rounds.
Read the ratios: absolute figures change with the machine and what else it does.`

const flags = new Set(process.argv.slice(2))
const only = process.argv[process.argv.indexOf('--only') + 1]

async function run(): Promise<void> {
  if (flags.has('--help')) return console.log(usage)
  const quick = flags.has('--quick')
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}`)
  if (!flags.has('--only') || only === 'hit-path') await hitPath(quick)
  if (!flags.has('--only') || only === 'codecs') benchCodecs()
}

async function hitPath(quick: boolean): Promise<void> {
  const found = await findRedis()
  if (found.kind === 'none') throw new Error(found.advice)
  const own = found.kind === 'program' ? await startRedis({ program: found.path }) : undefined
  const url = own?.url ?? (found.kind === 'url' ? found.url : '')
  try {
    console.log("\nHits: getOrSet(key, loader, { ttl: '1h' }), ratio to the control of the same round, medians")
    const rows = await benchHitPath(url, quick ? 3 : 11)
    printTable(
      ['payload', 'in flight', 'contender', 'calls/s', 'ratio'],
      rows.map(row => [row.payload, row.inFlight, row.name, Math.round(row.perSecond), row.ratio.toFixed(2)]),
    )
  } finally {
    await own?.stop()
  }
}

run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
