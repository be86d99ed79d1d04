import type { NewestTagRequest, Random, StampRequest, TagsRequest } from '../core/ports.ts'
import { epochBytes, isRecord, outlives, secondsOf } from '../core/tags/namespace-record.ts'
import { mostTableTags, prunedPerBump } from '../core/tags/tag-table.ts'
import type { Keys } from './keys.ts'
import { NamespaceRecord } from './namespace-record.ts'
import { parseFlag, parseRecord } from './replies.ts'
import type { Script, ScriptArgument } from './script.ts'
import { bumpTags, clear, pulse, stamp } from './scripts.gen.ts'
import type { SlotCommands } from './slot-commands.ts'
import { TagLookup } from './tag-lookup.ts'

/** A little less than the second after which everybody asks again. */
const pulseYoungMs = 900

/** The commands that are about a whole namespace, not one key: its record, its tags, its pulse. */
export class NamespaceCommands {
  readonly record: NamespaceRecord
  readonly #commands: SlotCommands
  readonly #keys: Keys
  readonly #random: Random
  readonly #tagLookup: TagLookup

  constructor(commands: SlotCommands, keys: Keys, random: Random) {
    this.#commands = commands
    this.#keys = keys
    this.#random = random
    this.record = new NamespaceRecord(keys.record)
    this.#tagLookup = new TagLookup((members, timeoutMs) => commands.scores(this.#slot, keys.tagTable, members, timeoutMs))
  }

  /** By a command of its own, which all of one tick share. */
  async readRecord(timeoutMs: number): Promise<Buffer | null> {
    const asked = this.record.ask()
    const bytes = await this.#commands.read(this.#slot, this.#keys.record, timeoutMs)
    this.record.take(asked, bytes)
    return bytes
  }

  async stamp({ keepMs, timeoutMs }: StampRequest): Promise<Buffer> {
    const { clock } = this.#commands
    const endsAt = clock.now() + timeoutMs
    const found = await this.readRecord(timeoutMs)
    if (isRecord(found) && !outlives(keepMs, found)) return found
    const asked = this.record.ask()
    const leftMs = Math.max(1, endsAt - clock.now())
    const made = parseRecord(await this.#run(stamp, leftMs, [this.#epoch(), this.#keys.changes, secondsOf(keepMs)]))
    this.record.take(asked, made)
    return made
  }

  newestTag(request: NewestTagRequest): Promise<number> {
    return this.#tagLookup.newest(request)
  }

  async bumpTags({ tags, timeoutMs }: TagsRequest): Promise<void> {
    const args = [this.#epoch(), this.#keys.changes, mostTableTags, prunedPerBump, ...tags] as const
    parseFlag('bump-tags', await this.#run(bumpTags, timeoutMs, [...args]))
  }

  async clear(timeoutMs: number): Promise<void> {
    parseFlag('clear', await this.#run(clear, timeoutMs, [this.#epoch(), this.#keys.changes]))
  }

  async pulse(timeoutMs: number): Promise<void> {
    const { pulse: gate, counter, changes } = this.#keys
    parseFlag('pulse', await this.#commands.run(pulse, this.#slot, timeoutMs, [gate, counter], [pulseYoungMs, changes]))
  }

  get #slot(): number {
    return this.#commands.router.clustered ? this.#keys.namespaceSlot : 0
  }

  #epoch(): Buffer {
    return this.#random.token().subarray(0, epochBytes)
  }

  #run<Arguments extends readonly ScriptArgument[]>(
    script: Script<[record: string, table: string, ...counter: string[]], Arguments>,
    timeoutMs: number,
    args: Arguments,
  ): Promise<unknown> {
    // In a cluster the scripts reach no key beside their own, so nothing counts the changes.
    const counter = this.#commands.router.clustered ? [] : [this.#keys.counter]
    return this.#commands.run(script, this.#slot, timeoutMs, [this.#keys.record, this.#keys.tagTable, ...counter], args)
  }
}
