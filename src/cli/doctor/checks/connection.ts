import { formatCount, formatMs, formatShare, plural } from '../../quantities.ts'
import type { Facts } from '../facts.ts'
import { type Check, type Finding, ok, problem, set, unknown, unreadable, warning } from '../finding.ts'
import { percentile } from '../../percentile.ts'

const leastClients = 1_000
const advisedClients = '10000'
const crowdedShare = 0.8
const slowMedianMs = 5
const slowTailMs = 50

function keepAlive({ config }: Facts): Finding {
  const seconds = config?.get('tcp-keepalive')
  if (seconds === undefined) return unreadable('tcp-keepalive')
  if (seconds !== '0') return ok(`tcp-keepalive is ${seconds} s`)
  const why = 'connections of dead clients stay open for ever and count against maxclients'
  return warning('tcp-keepalive is 0', why, set('tcp-keepalive', '60'))
}

function clients({ info: server }: Facts): Finding {
  const most = server.number('maxclients')
  const now = server.number('connected_clients')
  if (most === undefined || now === undefined) return unreadable('maxclients')
  const finding = `${plural(now, 'client')} of ${formatCount(most)}`
  const why = 'Leasehold takes three connections per process and server; whoever comes when all are taken is refused'
  const fix = `${set('maxclients', advisedClients)}; see that the process may open as many files (LimitNOFILE)`
  if (now / most >= crowdedShare) return problem(`${finding}: ${formatShare(now / most)} are taken`, why, fix)
  const rejected = server.number('rejected_connections') ?? 0
  if (rejected > 0) return warning(`${finding}; ${plural(rejected, 'connection')} refused since the start`, why, fix)
  if (most < leastClients) return warning(`${finding}: maxclients is low`, why, fix)
  return ok(finding)
}

function latency({ roundTripsMs }: Facts): Finding {
  if (roundTripsMs.length === 0) return unknown('no round trip could be timed')
  const [median, tail, end] = [50, 95, 99].map(share => percentile(roundTripsMs, share)) as [number, number, number]
  const finding = `${roundTripsMs.length} round trips: p50 ${formatMs(median)}, p95 ${formatMs(tail)}, p99 ${formatMs(end)}`
  const why = 'every hit waits for a round trip, and by default a command is given up after 100 ms'
  const fix =
    'run the doctor where the application runs; then look at the network between them, at SLOWLOG GET and LATENCY DOCTOR, and at swapping (redis-cli --intrinsic-latency 10)'
  if (median >= slowMedianMs) return problem(finding, why, fix)
  return tail >= slowTailMs ? warning(finding, why, fix) : ok(finding)
}

const clockWarnMs = 2_000

function clock({ clock: fact }: Facts): Finding {
  if (fact === undefined) return unknown('the server does not tell its time', 'grant +time')
  const { aheadMs, errorMs } = fact
  const off = Math.abs(aheadMs)
  if (off <= clockWarnMs + errorMs) return ok(`the clocks agree within ${formatMs(Math.max(off, errorMs))}`)
  const finding = `the server's clock is ${formatMs(off)} ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's`
  const why =
    'Leasehold goes by the server alone, so nothing expires wrongly; but EXPIREAT of other clients, logs and certificates do go by it, and when it is set right, every lifetime jumps by as much'
  return warning(finding, why, 'let NTP (chrony, systemd-timesyncd) slew both clocks')
}

export const connectionChecks: readonly Check[] = [
  { name: 'keep-alive', run: keepAlive },
  { name: 'clients', run: clients },
  { name: 'latency', run: latency },
  { name: 'clock', run: clock },
]
