import { hasHeader, mark, offset, payloadStart, readTime } from '../codec/header.ts'

export type Freshness = 'fresh' | 'stale' | 'marked stale'

/** What the header of an entry says, unverified. Times are the server's, in ms. */
export interface HeaderView {
  readonly freshness: Freshness
  readonly createdAt: number
  readonly freshUntil: number
  readonly hardUntil: number
  readonly loadMs: number
  readonly codec: string
  readonly compression: string
  readonly token: string
  readonly headerBytes: number
  /** Before compression. */
  readonly payloadBytes: number
}

const codecs: Readonly<Record<number, string>> = { 1: 'json', 2: 'msgpack' }
const compressions: Readonly<Record<number, string>> = { 0: 'none', 1: 'deflate', 2: 'lz4' }
const tokenBytes = 16

/** Undefined for bytes that do not begin as an entry of this wire version. */
export function viewHeader(bytes: Buffer, serverNowMs: number): HeaderView | undefined {
  if (!hasHeader(bytes)) return undefined
  const freshUntil = readTime(bytes, offset.freshUntil)
  const codec = bytes[offset.codec] ?? 0
  const compression = bytes[offset.compression] ?? 0
  return {
    freshness: bytes[offset.mark] === mark.expired ? 'marked stale' : serverNowMs < freshUntil ? 'fresh' : 'stale',
    createdAt: readTime(bytes, offset.createdAt),
    freshUntil,
    hardUntil: readTime(bytes, offset.hardUntil),
    loadMs: bytes.readUInt32BE(offset.loadMs),
    codec: codecs[codec] ?? `number ${codec}`,
    compression: compressions[compression] ?? `number ${compression}`,
    token: bytes.toString('hex', offset.token, offset.token + tokenBytes),
    headerBytes: payloadStart(bytes),
    payloadBytes: bytes.readUInt32BE(offset.payloadBytes),
  }
}

export type LeaseView =
  | { readonly state: 'none' }
  /** A load is under way; `waitedFor` when another process waits for it, `unqueued` when others need not. */
  | { readonly state: 'held' | 'waited for' | 'unqueued'; readonly token: string; readonly remainingMs: number }
  | { readonly state: 'do not queue'; readonly remainingMs: number }
  | { readonly state: 'cooling down'; readonly errorCode: string; readonly remainingMs: number }
  | { readonly state: 'not a lease' }

const held: Readonly<Record<string, 'held' | 'waited for' | 'unqueued'>> = { H: 'held', W: 'waited for', N: 'unqueued' }

/** What stands at a lease key. */
export function viewLease(bytes: Buffer | null, remainingMs: number): LeaseView {
  if (bytes === null) return { state: 'none' }
  const letter = bytes.toString('latin1', 0, 1)
  const state = held[letter]
  if (remainingMs < 0) return { state: 'not a lease' }
  if (state !== undefined && bytes.length === tokenBytes + 1) return { state, token: bytes.toString('hex', 1), remainingMs }
  if (letter === 'Q' && bytes.length === 1) return { state: 'do not queue', remainingMs }
  if (letter === 'C') return { state: 'cooling down', errorCode: bytes.toString('latin1', 1, 65), remainingMs }
  return { state: 'not a lease' }
}
