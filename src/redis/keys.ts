import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { EntryKey } from '../core/ports.ts'
import { partitionCount, partitionName, partitionOf } from './partition.ts'
import { slotOf } from './slot.ts'

const maxVersion = 65_535

const busVersion = 1
const wakeKind = 0x77
const maxReadablePrefixBytes = 64
/** Longest suffix a wake-up may carry: no key of ours is longer. */
const maxSuffixBytes = 8192

// oxlint-disable-next-line no-control-regex
const escaped = /[%\u0000-\u001f\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Injective: `%`, control characters and lone surrogates become `%XX` or `%uXXXX`; all else stays. */
export function escapeKey(key: string): string {
  if (!mayNeedEscape(key)) return key
  return key.replace(escaped, character => {
    const code = character.charCodeAt(0)
    const hex = code.toString(16).toUpperCase()
    return code > 0xff ? `%u${hex}` : `%${hex.padStart(2, '0')}`
  })
}

/** Most keys need nothing. A loop finds that out sooner than a regular expression. */
function mayNeedEscape(key: string): boolean {
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at)
    if (unit < 0x20 || unit === 0x25) return true
    if (unit > 0x7e && (unit < 0xa0 || (unit >= 0xd800 && unit <= 0xdfff))) return true
  }
  return false
}

/** The part of a key that stays readable when the rest is hashed: up to the first `:`, in whole characters and escapes. */
function readablePrefix(suffix: string): string {
  const colon = suffix.indexOf(':')
  let bytes = 0
  let end = 0
  for (const [piece] of suffix
    .slice(0, colon === -1 ? maxReadablePrefixBytes : colon)
    .matchAll(/%u[0-9A-F]{4}|%[0-9A-F]{2}|[^]/gu)) {
    bytes += Buffer.byteLength(piece)
    if (bytes > maxReadablePrefixBytes) break
    end += piece.length
  }
  return suffix.slice(0, end)
}

/** The only place that spells a Redis key, a channel or a wake-up; `parseKey` reads them. */
export class Keys {
  /** The channel of the namespace's messages. Channels know no databases, so a database other than 0 has its own. */
  readonly channel: string
  /** The Redis key of the namespace record. */
  readonly record: string
  /** The Redis key of the table of tags. */
  readonly tagTable: string
  /** The channel of the namespace's changes, for those who keep copies. */
  readonly changes: string
  /** The Redis key that counts the changes. */
  readonly counter: string
  /** The Redis key that stands while the last pulse is young. */
  readonly pulse: string
  readonly #base: string
  readonly #maxKeyBytes: number
  readonly #valueHeads: readonly string[]
  #namespaceSlot: number | undefined
  readonly #slots: Int16Array = new Int16Array(partitionCount).fill(-1)

  constructor(namespace: string, keyPrefix: string, database: number, maxKeyBytes: number) {
    this.#base = `${keyPrefix}${namespace}:`
    this.record = `${this.#base}{t}:n`
    this.tagTable = `${this.#base}{t}:t`
    const suffix = database === 0 ? '' : `:${database}`
    this.channel = `${this.#base}bus${suffix}`
    this.changes = `${this.#base}changes${suffix}`
    this.counter = `${this.#base}{t}:c`
    this.pulse = `${this.#base}{t}:p`
    this.#maxKeyBytes = maxKeyBytes
    this.#valueHeads = Array.from({ length: partitionCount }, (_, partition) => `${this.#head(partition)}v:`)
  }

  /** The Redis key of the entry. */
  value({ key, version }: EntryKey): string {
    const partition = partitionOf(key)
    const suffix = this.suffix(key)
    return version === 0 ? (this.#valueHeads[partition] as string) + suffix : `${this.#head(partition)}v${version}:${suffix}`
  }

  /** The Redis key of the lease. */
  lease(key: EntryKey): string {
    return this.#lease(partitionOf(key.key), this.suffix(key.key), key.version)
  }

  /** Value and lease of the key, and of the versions next to it. */
  family({ key, version }: EntryKey): [value: string, lease: string, ...neighbours: string[]] {
    const partition = partitionOf(key)
    const suffix = this.suffix(key)
    const keys: [string, string, ...string[]] = [this.#value(partition, suffix, version), this.#lease(partition, suffix, version)]
    for (const neighbour of neighboursOf(version)) {
      keys.push(this.#value(partition, suffix, neighbour), this.#lease(partition, suffix, neighbour))
    }
    return keys
  }

  /** What is written only to wait until replicas have it. */
  mark({ key }: EntryKey): string {
    return `${this.#head(partitionOf(key))}m`
  }

  /** The wake-ups of the leases of {@link family}, in its order. */
  familyMessages({ key, version }: EntryKey): Buffer[] {
    const suffix = this.suffix(key)
    return [version, ...neighboursOf(version)].map(each => encodeWake(each, suffix))
  }

  message({ key, version }: EntryKey): Buffer {
    return encodeWake(version, this.suffix(key))
  }

  wakeId({ key, version }: EntryKey): string {
    return `${version}:${this.suffix(key)}`
  }

  /** The cluster slot of the namespace record and the table of tags. */
  get namespaceSlot(): number {
    return (this.#namespaceSlot ??= slotOf(this.record))
  }

  /** The cluster slot of the key. */
  slot({ key }: EntryKey): number {
    const partition = partitionOf(key)
    const known = this.#slots[partition] as number
    if (known !== -1) return known
    return (this.#slots[partition] = slotOf(this.#head(partition)))
  }

  /** The key as Redis keys end: escaped, or hashed when it is too long. */
  suffix(key: string): string {
    const suffix = escapeKey(key)
    // No code unit takes more than three bytes.
    if (suffix.length * 3 <= this.#maxKeyBytes || Buffer.byteLength(suffix) <= this.#maxKeyBytes) return suffix
    return `${readablePrefix(suffix)}:%h${createHash('sha256').update(suffix).digest('base64url')}`
  }

  #head(partition: number): string {
    return `${this.#base}{${partitionName(partition)}}:`
  }

  #value(partition: number, suffix: string, version: number): string {
    return `${this.#head(partition)}v${version === 0 ? '' : version}:${suffix}`
  }

  #lease(partition: number, suffix: string, version: number): string {
    return `${this.#head(partition)}l${version === 0 ? '' : version}:${suffix}`
  }
}

function neighboursOf(version: number): number[] {
  const neighbours: number[] = []
  if (version > 0) neighbours.push(version - 1)
  if (version < maxVersion) neighbours.push(version + 1)
  return neighbours
}

function encodeWake(version: number, suffix: string): Buffer {
  const message = Buffer.allocUnsafe(4 + Buffer.byteLength(suffix))
  message[0] = busVersion
  message[1] = wakeKind
  message.writeUInt16BE(version, 2)
  message.write(suffix, 4)
  return message
}

/** The wake id that a message names, or undefined for anything that is not a wake-up of ours. */
export function decodeWake(message: Buffer): string | undefined {
  return message[0] === busVersion && message[1] === wakeKind ? decodeWakeId(message.subarray(2)) : undefined
}

/** The wake id in the rest of a message: the version (uint16) and the key's last part. Undefined for anything else. */
export function decodeWakeId(bytes: Buffer): string | undefined {
  if (bytes.length <= 2 || bytes.length > 2 + maxSuffixBytes || !isUtf8(bytes.subarray(2))) return undefined
  return `${bytes.readUInt16BE(0)}:${bytes.toString('utf8', 2)}`
}

/** No tag begins with it. */
const floorMark = Buffer.from([0xff])

/** The member of the table of tags that says up to where it has forgotten tags. A table of another epoch has none of this name. */
export function floorOf(epoch: Buffer): Buffer {
  return Buffer.concat([floorMark, epoch])
}
