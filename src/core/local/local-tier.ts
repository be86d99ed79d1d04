import type { Change, Clock, Entry, EntryKey, KeptValue, Token } from '../ports.ts'
import { BusTrust } from './bus-trust.ts'
import { ChangeLog } from './change-log.ts'

export interface LocalTierOptions {
  /** That of the cache itself, in which most keys are asked for. */
  readonly version: number
  readonly maxEntries: number
  readonly maxBytes: number
  readonly ttlMs: number
  readonly detectionMs: number
}

/** A copy of a value that the store vouched for. */
export interface LocalCopy {
  readonly kept: KeptValue
  readonly version: number
  readonly wakeId: string
  /** As text: a Buffer of so few bytes takes several times as much. */
  readonly token: string
  /** The entry's, and those that the reader named for whom it was looked up. */
  readonly tags: readonly string[]
  /** The change log's position when the store was asked. */
  readonly askedAt: number
  /** Monotonic ms until which it may be answered. */
  readonly until: number
  /** When the value was stored, monotonic ms. */
  readonly createdAt: number
  /** Monotonic ms until which the value is fresh. */
  readonly freshUntil: number
  /** Monotonic ms until which the store keeps it. */
  readonly hardUntil: number
  readonly loadMs: number
  /** Of the entry, encoded. */
  readonly entryBytes: number
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
const overheadBytes = 800

/**
 * Values in this process, answered without asking the store as long as the bus is trusted. Messages of the bus can only remove copies.
 * Copies are filled from answers of the store alone, and only if no change of the key was heard since the question was sent.
 */
export class LocalTier {
  readonly #clock: Clock
  readonly #version: number
  readonly #wakeIdOf: (key: EntryKey) => string
  readonly #ttlMs: number
  readonly #copies: CopyTable
  /** Where in the table a copy stands, by what changes call its key. */
  readonly #slots = new Map<string, string>()
  readonly #changes = new ChangeLog()
  readonly #trust: BusTrust
  readonly #bumps = new Map<string, number>()
  #taggedSince = 0

  /** @param wakeIdOf How changes name a key. */
  constructor(
    clock: Clock,
    wakeIdOf: (key: EntryKey) => string,
    makeTable: MakeCopyTable,
    { version, maxEntries, maxBytes, ttlMs, detectionMs }: LocalTierOptions,
  ) {
    this.#clock = clock
    this.#version = version
    this.#wakeIdOf = wakeIdOf
    this.#ttlMs = ttlMs
    this.#trust = new BusTrust(detectionMs)
    this.#copies = makeTable({
      maxEntries,
      maxBytes,
      sizeOf: (copy, key) => overheadBytes + copy.kept.bytes + 2 * (key.length + copy.wakeId.length),
      onGone: copy => void this.#slots.delete(copy.wakeId),
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

  /**
   * The copy of a key, if it may be answered now.
   *
   * @param tags Those that the reader names: a copy for which they were not looked up is none for him.
   */
  find(key: string, version: number = this.#version, tags?: readonly string[]): LocalCopy | undefined {
    const copy = this.#copies.get(version === this.#version ? key : otherSlot(key, version))
    if (copy === undefined || copy.version !== version) return undefined
    const now = this.#clock.turnNow?.() ?? this.#clock.now()
    if (now >= copy.until || now >= this.#trust.until) return undefined
    if (copy.tags.length !== 0 && this.#isBumped(copy, copy.tags)) return undefined
    return tags === undefined || hasAll(copy, tags) ? copy : undefined
  }

  /** The copy of a key if it is within its freshness, trusted or not: for when the store cannot be asked. */
  findSuspect(key: EntryKey, tags: readonly string[]): LocalCopy | undefined {
    const copy = this.#copies.get(this.#slotOf(key))
    if (copy === undefined || copy.version !== key.version || this.#clock.now() >= copy.freshUntil) return undefined
    return this.#isBumped(copy, copy.tags) || this.#isBumped(copy, tags) ? undefined : copy
  }

  /**
   * Keeps a copy of a fresh entry, unless its key has changed since `askedAt`.
   *
   * @param tags The entry's, and those that its reader named.
   * @param storeNow The store's time in ms, as estimated when the entry was judged.
   */
  remember(key: EntryKey, entry: Entry, tags: readonly string[], askedAt: number, storeNow: number): void {
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
      version: key.version,
      wakeId,
      token: entry.token.toString('latin1'),
      tags,
      askedAt,
      until,
      createdAt: now - (storeNow - entry.createdAt),
      freshUntil,
      hardUntil: now + (entry.hardUntil - storeNow),
      loadMs: entry.loadMs,
      entryBytes: entry.encodedBytes,
    }
    const slot = this.#slotOf(key)
    this.#copies.set(slot, copy)
    if (this.#copies.has(slot)) this.#slots.set(wakeId, slot)
  }

  /** This process changes a key itself: to be told before the store is, and again when the store has answered. */
  change(key: EntryKey): void {
    this.#changes.note(this.#wakeIdOf(key))
    this.#copies.delete(this.#slotOf(key))
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
    this.#slots.clear()
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
    const slot = this.#slots.get(wakeId)
    const copy = slot === undefined ? undefined : this.#copies.peek(slot)
    if (copy !== undefined && token !== undefined && copy.token === token.toString('latin1')) return
    if (slot !== undefined) this.#copies.delete(slot)
  }

  #isBumped({ askedAt }: LocalCopy, tags: readonly string[]): boolean {
    if (tags.length === 0) return false
    return askedAt < this.#taggedSince || tags.some(tag => (this.#bumps.get(tag) ?? 0) > askedAt)
  }

  #slotOf({ key, version }: EntryKey): string {
    return version === this.#version ? key : otherSlot(key, version)
  }
}

/** Where copies of another version than the cache's own stand. It need not be a place of their own: what is found is compared by version. */
function otherSlot(key: string, version: number): string {
  return `${version}\0${key}`
}

function hasAll(copy: LocalCopy, tags: readonly string[]): boolean {
  return tags.every(tag => copy.tags.includes(tag))
}
