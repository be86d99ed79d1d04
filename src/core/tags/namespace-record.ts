/**
 * The namespace record: a random epoch, the newest tag sequence, the generation that `clear` raises, and the longest lifetime of an entry in
 * seconds. Without the last it is what entries are stamped with. Integers are big-endian.
 */
const place = { epoch: 0, sequence: 8, generation: 16, longest: 20 } as const

export const recordBytes = 24
export const stampBytes = 20
export const epochBytes = 8

const most = 2 ** 32 - 1

export interface RecordFields {
  readonly epoch: Buffer
  /** µs of server time, or more when tags were invalidated faster than that. */
  readonly sequence: number
  readonly generation: number
  readonly longestSeconds: number
}

/** Anything but a whole record counts as none. */
export function isRecord(bytes: Buffer | null | undefined): bytes is Buffer {
  return bytes !== null && bytes !== undefined && bytes.length === recordBytes
}

export function writeRecord({ epoch, sequence, generation, longestSeconds }: RecordFields): Buffer {
  const bytes = Buffer.alloc(recordBytes)
  bytes.set(epoch, place.epoch)
  bytes.writeUInt32BE(Math.floor(sequence / 2 ** 32), place.sequence)
  bytes.writeUInt32BE(sequence % 2 ** 32, place.sequence + 4)
  bytes.writeUInt32BE(generation, place.generation)
  bytes.writeUInt32BE(longestSeconds, place.longest)
  return bytes
}

export function readRecord(bytes: Buffer): RecordFields {
  return {
    epoch: Buffer.from(bytes.subarray(place.epoch, place.epoch + epochBytes)),
    sequence: sequenceAt(bytes, 0),
    generation: bytes.readUInt32BE(place.generation),
    longestSeconds: bytes.readUInt32BE(place.longest),
  }
}

/** The epoch of a record, or of a stamp that begins at `at`. */
export function epochAt(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at + place.epoch, at + place.epoch + epochBytes)
}

/** The tag sequence of a record, or of a stamp that begins at `at`. */
export function sequenceAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + place.sequence) * 2 ** 32 + bytes.readUInt32BE(at + place.sequence + 4)
}

/** Whether an entry that is kept so long outlives what the record knows of, so that tags might be forgotten before it. */
export function outlives(keepMs: number, record: Buffer): boolean {
  return secondsOf(keepMs) > record.readUInt32BE(place.longest)
}

/** A lifetime as records carry it. */
export function secondsOf(keepMs: number): number {
  return Math.min(most, Math.max(0, Math.ceil(keepMs / 1000)))
}

/**
 * What a namespace record says of a stamp. `valid`: nothing has been invalidated since. `moved`: some tags have been, so the entry's own must be looked up.
 * `cleared`: an older generation. `unknown`: another epoch, or a stamp that is ahead of the record; not valid, but perhaps the record is the older of the two.
 */
export type Standing = 'valid' | 'moved' | 'cleared' | 'unknown'

/** @param at Where the stamp begins in `bytes`. */
export function standingOf(bytes: Buffer, at: number, record: Buffer | null, tagged: boolean): Standing {
  if (!isRecord(record)) return 'unknown'
  for (let byte = 0; byte < place.sequence; byte++) if (bytes[at + byte] !== record[byte]) return 'unknown'
  const generation = order(bytes, at, record, place.generation, stampBytes)
  if (generation !== 0) return generation < 0 ? 'cleared' : 'unknown'
  if (!tagged) return 'valid'
  const sequence = order(bytes, at, record, place.sequence, place.generation)
  if (sequence === 0) return 'valid'
  return sequence < 0 ? 'moved' : 'unknown'
}

/** Negative when the stamp's bytes from `start` to `end` are lower than the record's. A loop beats a call into native code for so few. */
function order(bytes: Buffer, at: number, record: Buffer, start: number, end: number): number {
  for (let byte = start; byte < end; byte++) {
    const difference = (bytes[at + byte] as number) - (record[byte] as number)
    if (difference !== 0) return difference
  }
  return 0
}
