/** Started by bench/peers.ts on the Node of this folder's manifest. */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { startRedis } from '../../scripts/start-redis.ts'
import { printTable } from '../print-table.ts'
import { allPeers, versionOf } from './all-peers.ts'
import { benchHitPath } from './hit-path.ts'
import { benchOutages, type OutageSize } from './outages.ts'
import { benchRaces } from './races.ts'
import { benchStampedes, type StampedeSize } from './stampedes.ts'

const parts = ['hits', 'stampedes', 'races', 'outages'] as const

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
})
const wanted = flags.only ?? parts
const unknown = wanted.find(name => !parts.some(part => part === name))
if (unknown !== undefined) throw new Error(`--only takes ${parts.join(', ')}, not ${unknown}`)

const rounds = flags.quick ? 3 : 9
const stampede: StampedeSize = flags.quick
  ? { processes: 2, callers: 20, keys: 3, loadMs: 100 }
  : { processes: 4, callers: 50, keys: 10, loadMs: 200 }
const raceKeys = flags.quick ? 10 : 50
const outage: OutageSize = flags.quick
  ? { perSecond: 50, beforeMs: 500, outageMs: 1500, afterMs: 1000 }
  : { perSecond: 200, beforeMs: 1000, outageMs: 4000, afterMs: 2000 }

console.log(`Node ${process.version}, ${availableParallelism()} cores, load ${(loadavg()[0] ?? 0).toFixed(1)} before the start`)
printTable(
  ['contender', 'version', 'configuration'],
  allPeers.map(peer => [peer.title, versionOf(peer), peer.configuration]),
)
const redis = await startRedis()
try {
  if (wanted.includes('hits')) {
    console.log(
      `\nHits, 64 in flight: calls/s as a ratio to ioredis getBuffer of the same value as JSON; ${rounds} rounds of 250 ms, medians`,
    )
    printTable(['payload', 'contender', 'answers from', 'ratio', 'CPU µs'], await benchHitPath(redis.url, rounds))
  }
  if (wanted.includes('stampedes')) {
    const { processes, callers, keys, loadMs } = stampede
    console.log(
      `\nA cold key, ${processes} processes × ${callers} callers, ${loadMs} ms loader, ${keys} keys: loads per key, answered after the load's time, ms`,
    )
    printTable(['contender', 'loads', 'p50', 'p99'], await benchStampedes(redis.url, stampede))
  }
  if (wanted.includes('races')) {
    console.log('\nA delete while a load runs: later reads, of two processes, that answered with the row from before the delete')
    printTable(['contender', 'deleted in the same process', 'in another'], await benchRaces(redis.url, raceKeys))
  }
} finally {
  await redis.stop()
}
if (wanted.includes('outages')) {
  for (const kind of ['hung', 'gone'] as const) {
    const { perSecond, outageMs } = outage
    console.log(
      `\nRedis ${kind === 'hung' ? 'hangs (SIGSTOP)' : 'is killed, and started again empty'} for ${outageMs} ms under ${perSecond} calls/s, 20 ms loader, ttl 1 s; ms`,
    )
    printTable(
      ['contender', 'calls', 'failed', 'no answer', 'p99', 'longest', 'loads', 'first failure'],
      await benchOutages(kind, outage),
    )
  }
}
// Clients that cannot be closed must not keep this process.
process.exit()
