import { LRUCache } from 'lru-cache'
import { type Options, Unpackr } from 'msgpackr'
import { PlainReader } from './plain-reader.ts'

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

/** A table holds no more shapes; further ones are defined in the body. */
export const maxShapes = 32
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

/** What a record table lists, for both readers. */
interface RecordTable {
  readonly shapes: Shapes
  plain: PlainReader | undefined
}

const emptyTable: RecordTable = { shapes: sealed([]), plain: undefined }
const kept = new LRUCache<string, RecordTable>({ max: maxKeptTables })

const recentTables = 64
/** Tables met lately, by a cheap sum: most are found here by comparing bytes, without making a string of them. */
const recent: ({ readonly bytes: Buffer; readonly table: RecordTable } | undefined)[] = Array.from({ length: recentTables })

const window = { start: 0, end: 0 }

/**
 * Decodes the body that starts at `end`, whose record table stands from `start` to `end`.
 * The shapes of a table that was met before are compiled already.
 * @throws Error when the table is not a list of key lists, or the body is not MessagePack.
 */
export function unpackRecords(bytes: Buffer, start: number, end: number): unknown {
  bodyReader.structures = tableAt(bytes, start, end).shapes
  // The reader takes these two before anything else, so one object serves all: a view for each body would cost more.
  window.start = end
  window.end = bytes.length
  return bodyReader.unpack(bytes, window)
}

/** The same for a plain body. @throws RangeError when it is not one. */
export function unpackPlain(bytes: Buffer, start: number, end: number): unknown {
  const table = tableAt(bytes, start, end)
  table.plain ??= new PlainReader(table.shapes)
  return table.plain.read(bytes, end)
}

function tableAt(bytes: Buffer, start: number, end: number): RecordTable {
  if (start === end) return emptyTable
  const length = end - start
  if (length > maxKeptTableBytes) return parseTable(bytes.subarray(start, end))
  const slot = (length * 7 + (bytes[end - 1] as number) * 31 + (bytes[start + (length >> 1)] as number)) & (recentTables - 1)
  const met = recent[slot]
  if (met !== undefined && standsAt(bytes, start, length, met.bytes)) return met.table
  const text = bytes.toString('latin1', start, end)
  let table = kept.get(text)
  if (table === undefined) kept.set(text, (table = parseTable(bytes.subarray(start, end))))
  recent[slot] = { bytes: Buffer.from(bytes.subarray(start, end)), table }
  return table
}

function standsAt(bytes: Buffer, start: number, length: number, table: Buffer): boolean {
  if (table.length !== length) return false
  for (let at = 0; at < length; at++) if (bytes[start + at] !== table[at]) return false
  return true
}

function parseTable(bytes: Buffer): RecordTable {
  const shapes: unknown = tableReader.unpack(bytes)
  if (Array.isArray(shapes) && shapes.length <= maxShapes && shapes.every(isKeyList)) {
    return { shapes: sealed(shapes), plain: undefined }
  }
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
