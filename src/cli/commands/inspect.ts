import { inspect as show } from 'node:util'
import { createEntryCodec } from '../../codec/entry-codec.ts'
import type { Compression } from '../../index.ts'
import { replyCode } from '../../redis/failures.ts'
import { Keys } from '../../redis/keys.ts'
import { exitCodes } from '../cli-error.ts'
import type { Console, Paint } from '../console.ts'
import { type Deployment, withDeployment } from '../deployment.ts'
import { describeShape } from '../describe-shape.ts'
import { type EntryStanding, readStandings } from '../entry-standing.ts'
import { type HeaderView, type LeaseView, viewHeader, viewLease } from '../entry-view.ts'
import { formatBytes, formatMs } from '../quantities.ts'
import { printable } from '../table.ts'

export interface InspectOptions {
  readonly url: string
  readonly namespace: string
  readonly key: string
  readonly version: number
  readonly maxKeyBytes: number
  readonly showValue: boolean
  readonly json: boolean
}

interface Inspection {
  readonly key: string
  readonly namespace: string
  readonly version: number
  readonly redisKey: string
  /** Null: there is none. */
  readonly entry: EntryInspection | null
  readonly lease: LeaseView
  /** Versions of this key that have entries, of those from 0 to 20. */
  readonly versions: readonly number[]
}

interface EntryInspection {
  /** What the header says; undefined when there is none. */
  readonly header: HeaderView | undefined
  /** Why a cache would not take these bytes. */
  readonly unreadable: string | undefined
  readonly storedBytes: number
  readonly memoryBytes: number | undefined
  /** -1: for ever. */
  readonly keptMs: number
  readonly freshMs: number | undefined
  readonly ageMs: number | undefined
  /** Undefined for bytes that are no entry. */
  readonly standing: EntryStanding | undefined
  readonly shape: string | undefined
  readonly value?: unknown
}

/** Shows one entry, its lease and, when asked, its value. @returns 1 when there is neither entry nor lease, or an entry that nobody can read */
export async function inspectKey(console: Console, options: InspectOptions): Promise<number> {
  return withDeployment(options.url, async deployment => {
    const found = await look(deployment, options)
    if (options.json) console.json(found)
    else print(console, found, options.showValue)
    const { entry, lease } = found
    const nothing = entry === null && lease.state === 'none'
    return nothing || isDamaged(entry) ? exitCodes.found : exitCodes.fine
  })
}

/** What only a codec of the application can read is no damage. */
function isDamaged(entry: EntryInspection | null): boolean {
  return entry?.unreadable !== undefined && entry.unreadable !== 'unknown-codec'
}

const versionsLookedAt = 21
/** What PTTL says of a key that is not there. It takes no right that an application lacks, unlike EXISTS. */
const gone = -2

async function look(deployment: Deployment, options: InspectOptions): Promise<Inspection> {
  const { namespace, key, version, maxKeyBytes } = options
  const keys = new Keys(namespace, deployment.keyPrefix, deployment.database, maxKeyBytes)
  const redisKey = keys.value({ key, version })
  const leaseKey = keys.lease({ key, version })
  const slot = keys.slot({ key, version })
  const kept = (name: string): Promise<number> => deployment.ask(slot, redis => redis.pttl(name))
  const candidates = Array.from({ length: versionsLookedAt }, (_, candidate) => candidate)
  const [bytes, keptMs, memory, lease, leaseMs, time, present] = await Promise.all([
    readString(deployment, slot, redisKey),
    kept(redisKey),
    deployment.ask(slot, redis => redis.memory('USAGE', redisKey)).catch(() => null),
    readString(deployment, slot, leaseKey),
    kept(leaseKey),
    deployment.ask(slot, redis => redis.time()),
    Promise.all(candidates.map(candidate => kept(keys.value({ key, version: candidate })))),
  ])
  const [seconds, micros] = time.map(Number) as [number, number]
  const serverNowMs = seconds * 1_000 + micros / 1_000
  const opened = bytes === null ? undefined : await open(options, bytes, serverNowMs)
  const readable = opened === undefined || 'unreadable' in opened ? [] : [opened]
  const [standing] = readable.length === 0 ? [] : await readStandings(deployment, keys, readable)
  const about = { keptMs, memoryBytes: memory ?? undefined, standing }
  const entry = bytes === null || opened === undefined ? null : describeEntry(options, bytes, opened, about, serverNowMs)
  const versions = candidates.filter(candidate => present[candidate] !== gone)
  return { key, namespace, version, redisKey, entry, lease: viewLease(lease, leaseMs), versions }
}

/** Stands for what is no string: a list, a hash. */
const otherType = Buffer.alloc(0)

async function readString(deployment: Deployment, slot: number, name: string): Promise<Buffer | null> {
  try {
    return await deployment.ask(slot, redis => redis.getBuffer(name))
  } catch (error) {
    if (replyCode(error) !== 'WRONGTYPE') throw error
    return otherType
  }
}

const anySize = 512 * 1024 ** 2

type Opened = ReturnType<ReturnType<typeof createEntryCodec>['open']>

async function open({ namespace, key, version }: InspectOptions, bytes: Buffer, serverNowMs: number): Promise<Opened> {
  const compression = viewHeader(bytes, serverNowMs)?.compression === 'lz4' ? await lz4() : 'deflate'
  const codec = createEntryCodec({
    namespace,
    values: 'copy',
    codec: 'msgpack',
    compression,
    compressAbove: 0,
    maxValueBytes: anySize,
  })
  return codec.open({ key, version }, bytes)
}

function describeEntry(
  { showValue }: InspectOptions,
  bytes: Buffer,
  opened: Opened,
  known: Pick<EntryInspection, 'keptMs' | 'memoryBytes' | 'standing'>,
  serverNowMs: number,
): EntryInspection {
  const header = viewHeader(bytes, serverNowMs)
  const about = {
    ...known,
    header,
    storedBytes: bytes.length,
    freshMs: header?.freshness === 'fresh' ? Math.round(header.freshUntil - serverNowMs) : undefined,
    ageMs: header === undefined ? undefined : Math.round(serverNowMs - header.createdAt),
  }
  if ('unreadable' in opened) return { ...about, unreadable: bytes === otherType ? 'type' : opened.unreadable, shape: undefined }
  try {
    const value = opened.value()
    return { ...about, unreadable: undefined, shape: describeShape(value), ...(showValue ? { value } : {}) }
  } catch {
    return { ...about, unreadable: 'payload', shape: undefined }
  }
}

/** Optional, like its package. */
async function lz4(): Promise<'deflate' | Compression> {
  try {
    const loaded = await import('../../codec/lz4.ts')
    return loaded.lz4()
  } catch {
    return 'deflate'
  }
}

const reasons: Readonly<Record<string, string>> = {
  type: 'what stands here is no entry of Leasehold, nor text at all but a list, a hash or the like',
  foreign: 'these bytes are no entry of Leasehold',
  'wire-version': 'written by a release with another wire version',
  truncated: 'cut short',
  checksum: 'damaged, or copied from another key: the checksum does not fit',
  'unknown-codec': 'its codec or compression is not built in (or lz4-napi is not installed)',
  payload: 'the payload cannot be decoded',
}

function print(
  console: Console,
  { key, namespace, version, redisKey, entry, lease, versions }: Inspection,
  showValue: boolean,
): void {
  const { paint } = console
  const row = (name: string, text: string): void => console.line(`${paint('dim', name.padEnd(12))}${text}`)
  console.line(paint('bold', `${namespace}  ${printable(key)}${version === 0 ? '' : `  version ${version}`}`))
  row('redis key', printable(redisKey))
  if (entry === null) row('entry', 'none')
  else printEntry(entry, row, console)
  row('lease', leaseText(lease))
  const others = versions.filter(other => other !== version)
  if (others.length > 0) row('versions', `also stored: ${others.join(', ')} (--key-version shows one)`)
  if (entry?.shape === undefined) return
  if (!showValue) return row('value', `${entry.shape} (--show-value shows it)`)
  row('value', entry.shape)
  console.line(show(entry.value, { depth: null, maxArrayLength: null, maxStringLength: null }))
}

function printEntry(entry: EntryInspection, row: (name: string, text: string) => void, { paint }: Console): void {
  const { header, unreadable, storedBytes, memoryBytes, keptMs, freshMs, ageMs, standing } = entry
  const kept = keptMs === -1 ? 'kept for ever, which no entry should be' : `kept for ${formatMs(keptMs)} more`
  if (unreadable !== undefined)
    row('entry', paint('red', `unreadable: ${reasons[unreadable] ?? unreadable}; a cache counts it as a miss`))
  if (unreadable === 'type') return row('kept', kept.replace('kept ', ''))
  if (header === undefined) return row('size', `${formatBytes(storedBytes)}, ${kept}`)
  const freshness =
    freshMs === undefined
      ? paint('yellow', header.freshness === 'stale' ? 'stale' : 'stale, marked by expire')
      : paint('green', `fresh for ${formatMs(freshMs)} more`)
  row('freshness', `${freshness}, ${kept}`)
  if (standing !== undefined) printStanding(standing, row, paint)
  row('created', `${new Date(header.createdAt).toISOString()}, ${formatMs(ageMs ?? 0)} ago by the server's clock`)
  row('load', header.loadMs === 0 ? 'took no time that was measured (or the value was set)' : `took ${formatMs(header.loadMs)}`)
  row('codec', `${header.codec}, compression ${header.compression}`)
  const memory = memoryBytes === undefined ? '' : `; takes ${formatBytes(memoryBytes)} of Redis's memory`
  row(
    'size',
    `${formatBytes(storedBytes)} stored, header ${header.headerBytes} B; payload ${formatBytes(header.payloadBytes)} before compression${memory}`,
  )
  row('token', header.token)
}

const validities: Readonly<Record<EntryStanding['validity'], string>> = {
  valid: 'nothing has invalidated it',
  cleared: 'cleared: its namespace was cleared since, so it is no answer',
  tags: 'invalidated by a tag, so it is no answer',
  forgotten: 'its namespace has lost its record or its table of tags since, so it is no answer',
}

function printStanding(
  { tags, validity, invalidatedTags }: EntryStanding,
  row: (name: string, text: string) => void,
  paint: Paint,
): void {
  row('validity', validity === 'valid' ? validities.valid : paint('yellow', validities[validity]))
  const shown = tags.length === 0 ? 'none' : tags.map(printable).join(', ')
  row('tags', invalidatedTags.length === 0 ? shown : `${shown}; invalidated since: ${invalidatedTags.map(printable).join(', ')}`)
}

function leaseText(lease: LeaseView): string {
  switch (lease.state) {
    case 'none':
      return 'none: nobody loads this key'
    case 'held':
      return `held by load ${lease.token} for ${formatMs(lease.remainingMs)} more, nobody waits`
    case 'waited for':
      return `held by load ${lease.token} for ${formatMs(lease.remainingMs)} more, others wait for it`
    case 'unqueued':
      return `held by load ${lease.token} for ${formatMs(lease.remainingMs)} more, others load for themselves`
    case 'do not queue':
      return `free, marked "do not queue" for ${formatMs(lease.remainingMs)} more: the last load stored nothing`
    case 'cooling down':
      return `free, cooling down for ${formatMs(lease.remainingMs)} more after ${printable(lease.errorCode)}`
    case 'not a lease':
      return 'what stands there is no lease; the next load overwrites it'
  }
}
