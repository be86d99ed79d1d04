import type { Change, Clock, Entry, KeptValue, Token } from '../ports.ts'
import { BusTrust } from './bus-trust.ts'
import { ChangeLog } from './change-log.ts'

export interface LocalTierOptions {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly ttlMs: number
  readonly detectionMs: number
}

/** A copy of a value that the store vouched for. */
export interface LocalCopy {
  readonly kept: KeptValue
  readonly wakeId: string
  readonly token: Token
  readonly tags: readonly string[]
  /** The change log's position when the store was asked. */
  readonly askedAt: number
  /** Monotonic ms until which it may be answered. */
  readonly until: number
  /** When the value was stored, monotonic ms. */
  readonly createdAt: number
  /** Monotonic ms until which the value is fresh. */
  readonly freshUntil: number
}

/** Copies by key. When it is full the least recently used go first. */
export interface CopyTable {
  readonly size: number
  readonly calculatedSize: number
  get(key: string): LocalCopy | undefined
  /** Without counting as a use. */
  peek(key: string): LocalCopy | undefined
  has(key: string): boolean
  set(key: string, copy: LocalCopy): unknown
  delete(key: string): unknown
  clear(): void
}

export interface CopyTableLimits {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly sizeOf: (copy: LocalCopy, key: string) => number
  /** Called with each copy that leaves the table, whatever made it leave. */
  readonly onGone: (copy: LocalCopy) => void
}

export type MakeCopyTable = (limits: CopyTableLimits) => CopyTable

/** Between the last bumps of so many tags copies are told apart; beyond it every tagged copy goes back to the store once. */
const mostTags = 10_000
/** What a copy takes beside its value, its key and its wake-up's name, in bytes. */
const overheadBytes = 320

/**
 * Values in this process, answered without asking the store as long as the bus is trusted. Messages of the bus can only remove copies.
 * Copies are filled from answers of the store alone, and only if no change of the key was heard since the question was sent.
 */
export class LocalTier {
  readonly #clock: Clock
  readonly #wakeIdOf: (key: string) => string
  readonly #ttlMs: number
  readonly #copies: CopyTable
  readonly #keys = new Map<string, string>()
  readonly #changes = new ChangeLog()
  readonly #trust: BusTrust
  readonly #bumps = new Map<string, number>()
  #taggedSince = 0

  /** @param wakeIdOf How changes name a key, in the version that the copies are of. */
  constructor(
    clock: Clock,
    wakeIdOf: (key: string) => string,
    makeTable: MakeCopyTable,
    { maxEntries, maxBytes, ttlMs, detectionMs }: LocalTierOptions,
  ) {
    this.#clock = clock
    this.#wakeIdOf = wakeIdOf
    this.#ttlMs = ttlMs
    this.#trust = new BusTrust(detectionMs)
    this.#copies = makeTable({
      maxEntries,
      maxBytes,
      sizeOf: (copy, key) => overheadBytes + copy.kept.bytes + 2 * (key.length + copy.wakeId.length),
      onGone: copy => void this.#keys.delete(copy.wakeId),
    })
  }

  /** How many copies there are, and what they take by estimate, in bytes. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#copies.size, bytes: this.#copies.calculatedSize }
  }

  /** Whether the bus is trusted now. */
  get trusted(): boolean {
    return this.#clock.now() < this.#trust.until
  }

  /** How long ago the pulse was sent that the copies are trusted by, in ms; undefined while they are not. */
  get pulseAgeMs(): number | undefined {
    return this.trusted ? this.#clock.now() - this.#trust.pulsedAt : undefined
  }

  /** To be taken before the store is asked for what may be filled in. */
  get position(): number {
    return this.#changes.position
  }

  /** The copy of `key`, if it may be answered now. */
  find(key: string): LocalCopy | undefined {
    const copy = this.#copies.get(key)
    if (copy === undefined) return undefined
    const now = this.#clock.turnNow?.() ?? this.#clock.now()
    if (now >= copy.until || now >= this.#trust.until) return undefined
    return copy.tags.length === 0 || !this.#isBumped(copy) ? copy : undefined
  }

  /** The copy of `key` if it is within its freshness, trusted or not: for when the store cannot be asked. */
  findSuspect(key: string): LocalCopy | undefined {
    const copy = this.#copies.get(key)
    if (copy === undefined || this.#clock.now() >= copy.freshUntil) return undefined
    return this.#isBumped(copy) ? undefined : copy
  }

  /**
   * Keeps a copy of a fresh entry, unless its key has changed since `askedAt`.
   *
   * @param tags The entry's, and those that its reader named.
   * @param storeNow The store's time in ms, as estimated when the entry was judged.
   */
  fill(key: string, entry: Entry, tags: readonly string[], askedAt: number, storeNow: number): void {
    const now = this.#clock.now()
    if (now >= this.#trust.until) return
    const wakeId = this.#wakeIdOf(key)
    if (this.#changes.changedSince(wakeId, askedAt)) return
    const freshUntil = now + (entry.freshUntil - storeNow)
    // Near the end of its freshness it is asked for again, so that someone gets to refresh it ahead.
    const until = Math.min(now + this.#ttlMs, freshUntil - entry.loadMs)
    if (until <= now) return
    const copy = {
      kept: entry.keep(),
      wakeId,
      token: Buffer.from(entry.token),
      tags,
      askedAt,
      until,
      createdAt: now - (storeNow - entry.createdAt),
      freshUntil,
    }
    this.#copies.set(key, copy)
    if (this.#copies.has(key)) this.#keys.set(wakeId, key)
  }

  /** This process changes `key` itself: to be told before the store is, and again when the store has answered. */
  change(key: string): void {
    this.#changes.note(this.#wakeIdOf(key))
    this.#copies.delete(key)
  }

  /** This process invalidates tags itself. */
  changeTags(tags: readonly string[]): void {
    const position = this.#changes.advance()
    for (const tag of tags) {
      this.#bumps.delete(tag)
      this.#bumps.set(tag, position)
    }
    if (this.#bumps.size <= mostTags) return
    this.#taggedSince = position
    this.#bumps.clear()
  }

  /** Drops everything: this process clears the namespace, or something may have been missed. */
  changeAll(): void {
    this.#changes.noteAll()
    this.#copies.clear()
    this.#keys.clear()
  }

  /**
   * The bus has spoken.
   *
   * @param storeNow The store's time in ms: never behind. NaN while it is not known.
   */
  hear(change: Change, storeNow: number): void {
    if (change.kind === 'pulse') {
      const ageMs = Math.max(0, storeNow - change.sentAt)
      if (Number.isNaN(ageMs)) return
      if (this.#trust.hearPulse(change.sequence, this.#clock.now() - ageMs) === 'gap') this.changeAll()
    } else if (this.#trust.hearChange(change.sequence) === 'gap' || change.kind === 'clear') this.changeAll()
    else if (change.kind === 'tags') this.changeTags(change.tags)
    else this.#hearKey(change.wakeId, change.token)
  }

  /** The bus went down. Copies are suspect from now on, and dropped when it is back: nobody knows what was missed. */
  loseBus(): void {
    this.#trust.lose()
  }

  #hearKey(wakeId: string, token: Token | undefined): void {
    // Noted even for the copy that stays: an older answer may still be on its way.
    this.#changes.note(wakeId)
    const key = this.#keys.get(wakeId)
    const copy = key === undefined ? undefined : this.#copies.peek(key)
    if (copy !== undefined && token !== undefined && copy.token.equals(token)) return
    if (key !== undefined) this.#copies.delete(key)
  }

  #isBumped({ tags, askedAt }: LocalCopy): boolean {
    if (tags.length === 0) return false
    return askedAt < this.#taggedSince || tags.some(tag => (this.#bumps.get(tag) ?? 0) > askedAt)
  }
}
