import { LRUCache } from 'lru-cache'
import { type Options, Unpackr } from 'msgpackr'

/** Shared by packer and readers. Objects are always records: a MessagePack map is a Map. */
export const packOptions: Options = {
  maxSharedStructures: 32,
  maxOwnStructures: 32,
  moreTypes: true,
  useBigIntExtension: true,
  mapsAsObjects: false,
  structuredClone: false,
  useToJSON: false,
  copyBuffers: true,
}

const maxShapes = 32
/** Tables of objects used as dictionaries hardly repeat; keeping long ones would only push out the others. */
const maxKeptTableBytes = 2048
const maxKeptTables = 512

/** A list of keys. msgpackr hangs the compiled reader on it, and restores it after a body that redefines it. */
type Shape = string[] & { isShared?: boolean }
type Shapes = Shape[] & { sharedLength?: number }

interface RecordReader {
  structures: Shapes
  unpack(bytes: Buffer, window: { start: number; end: number }): unknown
}

const tableReader = new Unpackr({ useRecords: false, mapsAsObjects: false })
const bodyReader = new Unpackr({ ...packOptions, structures: [] }) as unknown as RecordReader
const withoutShapes = sealed([])
const kept = new LRUCache<string, Shapes>({ max: maxKeptTables })

const recentTables = 64
/** Tables met lately, by a cheap sum: most are found here by comparing bytes, without making a string of them. */
const recent: ({ readonly table: Buffer; readonly shapes: Shapes } | undefined)[] = Array.from({ length: recentTables })

const window = { start: 0, end: 0 }

/**
 * Decodes the body that starts at `end`, whose record table stands from `start` to `end`.
 * The shapes of a table that was met before are compiled already.
 * @throws Error when the table is not a list of key lists, or the body is not MessagePack.
 */
export function unpackRecords(bytes: Buffer, start: number, end: number): unknown {
  bodyReader.structures = shapesOf(bytes, start, end)
  // The reader takes these two before anything else, so one object serves all: a view for each body would cost more.
  window.start = end
  window.end = bytes.length
  return bodyReader.unpack(bytes, window)
}

function shapesOf(bytes: Buffer, start: number, end: number): Shapes {
  if (start === end) return withoutShapes
  const length = end - start
  if (length > maxKeptTableBytes) return parseTable(bytes.subarray(start, end))
  const slot = (length * 7 + (bytes[end - 1] as number) * 31 + (bytes[start + (length >> 1)] as number)) & (recentTables - 1)
  const met = recent[slot]
  if (met !== undefined && standsAt(bytes, start, length, met.table)) return met.shapes
  const table = bytes.toString('latin1', start, end)
  let shapes = kept.get(table)
  if (shapes === undefined) kept.set(table, (shapes = parseTable(bytes.subarray(start, end))))
  recent[slot] = { table: Buffer.from(bytes.subarray(start, end)), shapes }
  return shapes
}

function standsAt(bytes: Buffer, start: number, length: number, table: Buffer): boolean {
  if (table.length !== length) return false
  for (let at = 0; at < length; at++) if (bytes[start + at] !== table[at]) return false
  return true
}

function parseTable(table: Buffer): Shapes {
  const shapes: unknown = tableReader.unpack(table)
  if (Array.isArray(shapes) && shapes.length <= maxShapes && shapes.every(isKeyList)) return sealed(shapes)
  throw new Error('record table that is not a list of key lists')
}

function isKeyList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(key => typeof key === 'string')
}

/** A definition in one body must not outlast it: shapes that are marked as shared come back. */
function sealed(shapes: Shapes): Shapes {
  for (const shape of shapes) shape.isShared = true
  shapes.sharedLength = shapes.length
  return shapes
}
