import type { Redis } from 'ioredis'
import { createEntryCodec } from '../codec/entry-codec.ts'
import { hasHeader, hasMark, offset, payloadStart } from '../codec/header.ts'
import { StoredEntry } from '../codec/stored-entry.ts'
import { Keys } from '../redis/keys.ts'
import { parseKey, type StoredKey } from '../redis/parse-key.ts'
import { CliError } from './cli-error.ts'
import type { Deployment } from './deployment.ts'
import { type EntryStanding, readStandings } from './entry-standing.ts'
import { type Freshness, viewHeader } from './entry-view.ts'
import { lookWhereScanned } from './while-slots-move.ts'

/** What became of an entry: how fresh it is, or why it is no answer. `unknown`: the record of its namespace could not be asked. */
export type EntryState =
  | Freshness
  | Exclude<EntryStanding['validity'], 'valid' | 'tags'>
  | 'invalidated'
  | 'unreadable'
  | 'unknown'

export interface EntryRow {
  readonly key: string
  readonly version: number
  readonly freshness: EntryState
  readonly freshMs: number | undefined
  readonly keptMs: number
  readonly bytes: number
}

interface Seen {
  readonly stored: StoredKey
  readonly keptMs: number
  readonly size: number
  readonly bytes: Buffer
}

const entriesPerRound = 50
/** Of a larger entry no more is read, and its checksum is left alone. */
const mostBytes = 1024 ** 2
const nothing = Buffer.alloc(0)
/** What PTTL says of a key that is not there. */
const gone = -2

/** Judges entries of one namespace as a cache would, some at a time. */
export class EntryJudge {
  readonly #deployment: Deployment
  readonly #keys: Keys
  readonly #codec: ReturnType<typeof createEntryCodec>
  #unasked: string | undefined

  constructor(deployment: Deployment, namespace: string) {
    this.#deployment = deployment
    this.#keys = new Keys(namespace, deployment.keyPrefix, deployment.database, longestKeyBytes)
    this.#codec = createEntryCodec({
      namespace,
      values: 'copy',
      codec: 'msgpack',
      compression: 'deflate',
      compressAbove: 0,
      maxValueBytes: mostBytes,
    })
  }

  /** Why the record of the namespace could not be asked, if so. */
  get unasked(): string | undefined {
    return this.#unasked
  }

  /** Those of `names` that are still there. */
  async judge(node: Redis, names: readonly string[]): Promise<EntryRow[]> {
    const [seconds, micros] = (await node.time()).map(Number) as [number, number]
    const serverNowMs = seconds * 1_000 + micros / 1_000
    const rows: EntryRow[] = []
    for (let at = 0; at < names.length; at += entriesPerRound) {
      const looked = await Promise.all(names.slice(at, at + entriesPerRound).map(name => lookAt(node, name)))
      rows.push(
        ...(await this.#rowsOf(
          looked.filter(seen => seen !== undefined),
          serverNowMs,
        )),
      )
    }
    return rows
  }

  async #rowsOf(all: readonly Seen[], serverNowMs: number): Promise<EntryRow[]> {
    const entries = all.map(seen => (this.#isReadable(seen) ? new SeenEntry(seen.bytes, seen.bytes) : undefined))
    const standings = await this.#standingsOf(entries.filter(entry => entry !== undefined))
    let next = 0
    return all.map(({ stored: { key, version }, keptMs, size, bytes }, at) => {
      const standing =
        entries[at] === undefined ? 'unreadable' : standings === undefined ? 'unknown' : standings[next++]?.validity
      const view = viewHeader(bytes, serverNowMs)
      const freshness =
        standing === 'valid' && view !== undefined ? view.freshness : standing === 'tags' ? 'invalidated' : standing
      const freshMs = freshness === 'fresh' && view !== undefined ? Math.round(view.freshUntil - serverNowMs) : undefined
      return { key, version, freshness: (freshness ?? 'unreadable') as EntryState, freshMs, keptMs, bytes: size }
    })
  }

  /** A codec of the application's own is no reason against an entry. */
  #isReadable({ stored, size, bytes }: Seen): boolean {
    if (!stored.inPlace || !hasHeader(bytes) || !hasMark(bytes) || size < payloadStart(bytes)) return false
    // Of a hashed key the checksum cannot be known.
    if (stored.hashed || bytes.length < size)
      return bytes[offset.compression] !== 0 || size - payloadStart(bytes) === bytes.readUInt32BE(offset.payloadBytes)
    const opened = this.#codec.open(stored, bytes)
    return !('unreadable' in opened) || opened.unreadable === 'unknown-codec'
  }

  async #standingsOf(entries: readonly SeenEntry[]): Promise<readonly EntryStanding[] | undefined> {
    if (entries.length === 0) return []
    if (this.#unasked !== undefined) return undefined
    try {
      return await readStandings(this.#deployment, this.#keys, entries)
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      this.#unasked = error.message
      return undefined
    }
  }
}

/** No key of the namespace is spelled here but its own. */
const longestKeyBytes = 512

async function lookAt(node: Redis, name: string): Promise<Seen | undefined> {
  const stored = parseKey(name)
  const [bytes, keptMs, size] = await Promise.all([
    lookWhereScanned(node, nothing, redis => redis.getrangeBuffer(name, 0, mostBytes - 1)).catch(() => nothing),
    lookWhereScanned(node, gone, redis => redis.pttl(name)),
    lookWhereScanned(node, 0, redis => redis.strlen(name)).catch(() => 0),
  ])
  return stored === undefined || keptMs === gone ? undefined : { stored, keptMs, size, bytes }
}

/** Its value is never decoded. */
class SeenEntry extends StoredEntry {
  override value(): never {
    throw new Error('a listed entry is not decoded')
  }

  override keep(): never {
    return this.value()
  }
}
