import type { Paint, Style } from '../console.ts'
import { formatBytes, formatCount, formatMs, formatShare } from '../quantities.ts'
import { cut, printable, table } from '../table.ts'
import type { Snapshot } from './snapshot.ts'

export interface FrameOptions {
  readonly columns: number
  readonly rows: number
  readonly paint: Paint
  readonly label: string
  readonly intervalSeconds: number
  /** Shares of look-ups that found their key, oldest first. */
  readonly history: readonly (number | undefined)[]
  /** Whether there is a keyboard to stop it with. */
  readonly keyboard: boolean
}

const notKnown = '–'
const shownCommands = 4
const bars = '▁▂▃▄▅▆▇█'
const meterWidth = 24
const linesAboveResources = 11

/** The lines of one screen. What is not known is a dash. */
export function drawFrame(snapshot: Snapshot, options: FrameOptions): string[] {
  const { paint, columns, rows, label, intervalSeconds, keyboard } = options
  const up = snapshot.uptimeSeconds === undefined ? '' : `, up ${formatMs(snapshot.uptimeSeconds * 1_000)}`
  const head = [
    `${paint('bold', `leasehold top  ${label}`)}  ${snapshot.server}${up}; every ${intervalSeconds} s${keyboard ? ', q quits' : ''}`,
    '',
    ...serverLines(snapshot, options),
    '',
    ...commandLines(snapshot, paint),
    '',
  ]
  const resources = resourceLines(snapshot, paint, columns, Math.max(3, rows - Math.max(linesAboveResources, head.length) - 3))
  return [...head, ...resources]
}

/** What there is to show while the server says nothing. */
export function drawSilence(silentMs: number, { paint, label, intervalSeconds, keyboard }: FrameOptions): string[] {
  return [
    `${paint('bold', `leasehold top  ${label}`)}  every ${intervalSeconds} s${keyboard ? ', q quits' : ''}`,
    '',
    paint('red', `Redis does not answer, for ${formatMs(silentMs)} now; the connection stands`),
  ]
}

function serverLines(
  { memory, clients, traffic, lookUps, wakeUpsPerSecond }: Snapshot,
  { paint, history }: FrameOptions,
): string[] {
  const name = (text: string): string => paint('dim', text.padEnd(10))
  const { usedBytes, limitBytes, policy } = memory
  const share = usedBytes === undefined || limitBytes === undefined || limitBytes === 0 ? undefined : usedBytes / limitBytes
  const limit = limitBytes === 0 ? 'no maxmemory' : `of ${known(limitBytes, formatBytes)}`
  const found = paint('bold', known(lookUps.found, formatShare))
  return [
    `${name('memory')}${share === undefined ? '' : `${meter(share, paint)} `}${known(usedBytes, formatBytes)} ${limit}, ${policy ?? notKnown}, fragmentation ${known(memory.fragmentation, ratio => ratio.toFixed(2))}`,
    `${name('keys')}evicted ${rate(memory.evictedPerSecond)}, expired ${rate(memory.expiredPerSecond)}`,
    `${name('look-ups')}${found} found ${sparkline(history)}  ${rate(lookUps.perSecond)}, since the start ${known(lookUps.foundSinceStart, formatShare)} (all clients, scripts included)`,
    `${name('waiting')}wake-ups ${rate(wakeUpsPerSecond)} (loads that other processes waited for)`,
    `${name('clients')}${known(clients.now, formatCount)} of ${known(clients.most, formatCount)}`,
    `${name('traffic')}commands ${rate(traffic?.commandsPerSecond)}, in ${known(traffic?.inBytesPerSecond, formatBytes)}/s, out ${known(traffic?.outBytesPerSecond, formatBytes)}/s`,
  ]
}

function commandLines({ commands }: Snapshot, paint: Paint): string[] {
  const cells = commands
    .slice(0, shownCommands)
    .map(({ name, perSecond, busy, p50Ms, p99Ms }) => [
      name,
      formatRate(perSecond),
      formatShare(busy),
      known(p50Ms, formatMs),
      known(p99Ms, formatMs),
    ])
  const columns = ['COMMAND', '/S', 'BUSY', 'P50*', 'P99*'].map((title, at) => ({
    title,
    align: at === 0 ? ('left' as const) : ('right' as const),
  }))
  const [head = '', ...body] = table(columns, cells)
  return [paint('dim', `${head}   * in the server, since its start`), ...body]
}

function resourceLines({ keyspace, resources }: Snapshot, paint: Paint, columns: number, most: number): string[] {
  const titles = ['RESOURCE', 'ENTRIES', 'FRESH', 'SIZE', 'LOAD P95', 'HEAT', 'LOADING', 'WAITED FOR', 'WAKE-UPS/S']
  const about = keyspace.complete ? '' : '~'
  const cells = resources
    .slice(0, most)
    .map(each => [
      cut(printable(`${each.owner} ${each.resource}`), Math.max(16, columns - 72)),
      `${about}${formatCount(each.entries)}`,
      known(each.freshShare, formatShare),
      known(each.meanBytes, formatBytes),
      known(each.loadP95Ms, formatMs),
      known(each.heat, heat => heat.toFixed(0)),
      coloured(each.loading, 'cyan', paint),
      coloured(each.waitedFor, 'yellow', paint),
      each.wakeUpsPerSecond === undefined ? notKnown : formatRate(each.wakeUpsPerSecond),
    ])
  const [head = '', ...body] = table(
    titles.map((title, at) => ({ title, align: at === 0 ? ('left' as const) : ('right' as const) })),
    cells,
  )
  const scanned = keyspace.complete
    ? `all ${formatCount(keyspace.keys)} keys scanned`
    : `${formatCount(keyspace.scanned)} of ${formatCount(keyspace.keys)} keys scanned in this frame`
  return [
    paint('dim', head),
    ...body,
    paint('dim', `${scanned}; FRESH to HEAT of the ${formatCount(keyspace.sampled)} entries looked at`),
  ]
}

function meter(share: number, paint: Paint): string {
  const full = Math.min(meterWidth, Math.round(share * meterWidth))
  const style: Style = share >= 0.9 ? 'red' : share >= 0.8 ? 'yellow' : 'green'
  return `${paint(style, '█'.repeat(full))}${paint('dim', '░'.repeat(meterWidth - full))} ${formatShare(share)}`
}

function sparkline(history: readonly (number | undefined)[]): string {
  return history
    .map(share => (share === undefined ? ' ' : (bars[Math.min(bars.length - 1, Math.floor(share * bars.length))] ?? '')))
    .join('')
}

function coloured(count: number, style: Style, paint: Paint): string {
  return count === 0 ? '0' : paint(style, formatCount(count))
}

function known(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? notKnown : format(value)
}

function rate(perSecond: number | undefined): string {
  return perSecond === undefined ? notKnown : `${formatRate(perSecond)}/s`
}

function formatRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond)
}
