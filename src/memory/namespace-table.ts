import type { NewestTagRequest } from '../core/ports.ts'
import { mostTableTags, prunedPerBump } from '../core/tags/tag-table.ts'
import {
  isRecord,
  outlives,
  readRecord,
  secondsOf,
  sequenceAt,
  writeRecord,
  type RecordFields,
} from '../core/tags/namespace-record.ts'

/** What a server knows of one namespace. Either may be lost; then what depended on it is invalid. */
export interface NamespaceState {
  record: Buffer | undefined
  /** When each tag was invalidated last, the oldest first; under the name of the epoch the floor: what is older has been forgotten. */
  tags: Map<string, number> | undefined
}

/** One small state per namespace. Never evicted. */
export class NamespaceTable {
  readonly #states = new Map<string, NamespaceState>()

  at(namespace: string): NamespaceState {
    let state = this.#states.get(namespace)
    if (state === undefined) this.#states.set(namespace, (state = { record: undefined, tags: undefined }))
    return state
  }
}

const lastGeneration = 2 ** 32 - 1

export function stamp(state: NamespaceState, keepMs: number, epoch: Buffer, now: number): Buffer {
  const record = state.record
  if (!isRecord(record)) return mint(state, epoch, secondsOf(keepMs), now)
  if (!outlives(keepMs, record)) return record
  return (state.record = writeRecord({ ...readRecord(record), longestSeconds: secondsOf(keepMs) }))
}

export function newestOf({ tags }: NamespaceState, { epoch, tags: names }: Pick<NewestTagRequest, 'epoch' | 'tags'>): number {
  const forgotten = tags?.get(floorOf(epoch))
  if (tags === undefined || forgotten === undefined) return Infinity
  return names.reduce((newest, name) => Math.max(newest, tags.get(name) ?? 0), forgotten)
}

export function bump(state: NamespaceState, names: readonly string[], epoch: Buffer, now: number): void {
  if (!isRecord(state.record)) return void mint(state, epoch, 0, now)
  const fields = readRecord(state.record)
  const sequence = nextSequence(fields, now)
  // A table that is lost begins anew: nothing from before is known to be valid.
  const { tags = new Map([[floorOf(fields.epoch), sequence]]) } = state
  state.tags = tags
  for (const name of names) {
    tags.delete(name)
    tags.set(name, sequence)
  }
  prune(tags, floorOf(fields.epoch), names.length, microseconds(now) - fields.longestSeconds * 1_000_000)
  state.record = writeRecord({ ...fields, sequence })
}

export function clear(state: NamespaceState, epoch: Buffer, now: number): void {
  if (!isRecord(state.record)) return void mint(state, epoch, 0, now)
  const fields = readRecord(state.record)
  if (fields.generation === lastGeneration) return void mint(state, epoch, fields.longestSeconds, now)
  state.tags = new Map([[floorOf(fields.epoch), fields.sequence]])
  state.record = writeRecord({ ...fields, generation: fields.generation + 1 })
}

function mint(state: NamespaceState, epoch: Buffer, longestSeconds: number, now: number): Buffer {
  state.record = writeRecord({ epoch, sequence: microseconds(now), generation: 0, longestSeconds })
  state.tags = new Map([[floorOf(epoch), sequenceAt(state.record, 0)]])
  return state.record
}

/** Forgets a few tags that no entry is old enough to care for, and what is more than the table may hold. */
function prune(tags: Map<string, number>, floor: string, added: number, dead: number): void {
  let left = prunedPerBump + added
  for (const [name, sequence] of tags) {
    if (name === floor) continue
    if (left-- === 0 || (sequence >= dead && tags.size - 1 <= mostTableTags)) return
    tags.delete(name)
    tags.set(floor, Math.max(sequence, tags.get(floor) ?? 0))
  }
}

/** A table of another epoch has no floor of this name. No tag is: they are well-formed. */
function floorOf(epoch: Buffer): string {
  return `\ud800${epoch.toString('latin1')}`
}

function nextSequence({ sequence }: RecordFields, now: number): number {
  return Math.max(sequence + 1, microseconds(now))
}

function microseconds(now: number): number {
  return Math.floor(now) * 1000
}
