import { findRedis } from '../scripts/find-redis.ts'
import { startRedis } from '../scripts/start-redis.ts'
import { benchCodecs } from './codecs.ts'
import { benchHitPath } from './hit-path.ts'
import { printTable } from './print-table.ts'

const usage = `npm run bench -- [--quick] [--rounds <n>] [--only hit-path|codecs]

Throughput of getOrSet hits beside raw ioredis getBuffer of the same bytes, and the cost of codecs, in interleaved rounds.
Read the ratios: absolute figures change with the machine and what else it does.`

const flags = new Set(process.argv.slice(2))
const only = valueOf('--only')
const defaultRounds = 11
const quickRounds = 3

function valueOf(flag: string): string | undefined {
  const at = process.argv.indexOf(flag)
  return at === -1 ? undefined : process.argv[at + 1]
}

function roundsAsked(): number {
  const given = valueOf('--rounds')
  if (given === undefined) return flags.has('--quick') ? quickRounds : defaultRounds
  const rounds = Number(given)
  if (Number.isInteger(rounds) && rounds > 0) return rounds
  throw new Error('--rounds takes a whole number above 0')
}

async function run(): Promise<void> {
  if (flags.has('--help')) return console.log(usage)
  const rounds = roundsAsked()
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}`)
  if (only === undefined || only === 'hit-path') await hitPath(rounds)
  if (only === undefined || only === 'codecs') benchCodecs()
}

async function hitPath(rounds: number): Promise<void> {
  const found = await findRedis()
  if (found.kind === 'none') throw new Error(found.advice)
  const own = found.kind === 'program' ? await startRedis({ program: found.path }) : undefined
  const url = own?.url ?? (found.kind === 'url' ? found.url : '')
  try {
    console.log("\nHits: getOrSet(key, loader, { ttl: '1h' }), ratio to the control of the same round, medians")
    const rows = await benchHitPath(url, rounds)
    printTable(
      ['payload', 'in flight', 'contender', 'calls/s', 'ratio', 'CPU µs'],
      rows.map(row => [
        row.payload,
        row.inFlight,
        row.name,
        Math.round(row.perSecond),
        row.ratio.toFixed(2),
        row.cpuUs.toFixed(1),
      ]),
    )
  } finally {
    await own?.stop()
  }
}

run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
