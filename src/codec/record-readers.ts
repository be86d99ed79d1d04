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

const tableReader = new Unpackr({ useRecords: false, mapsAsObjects: false })
const withoutRecords = readerOf([])
const kept = new LRUCache<string, Unpackr>({ max: maxKeptTables })

/**
 * The reader for payloads whose record table stands in `bytes` from `start` to `end`.
 * A table that was met before has its shapes compiled already.
 * @throws Error when the table is not a list of key lists.
 */
export function recordReaderFor(bytes: Buffer, start: number, end: number): Unpackr {
  if (start === end) return withoutRecords
  if (end - start > maxKeptTableBytes) return readerOf(parseTable(bytes.subarray(start, end)))
  const table = bytes.toString('latin1', start, end)
  let reader = kept.get(table)
  if (reader === undefined) kept.set(table, (reader = readerOf(parseTable(bytes.subarray(start, end)))))
  return reader
}

type Shape = string[] & { isShared?: boolean }

/** A definition in a payload's body must not outlast that payload: msgpackr restores shapes that are marked as shared. */
function readerOf(shapes: Shape[]): Unpackr {
  for (const shape of shapes) shape.isShared = true
  return new Unpackr({ ...packOptions, structures: shapes as unknown as {}[] })
}

function parseTable(table: Buffer): Shape[] {
  const shapes: unknown = tableReader.unpack(table)
  if (Array.isArray(shapes) && shapes.length <= maxShapes && shapes.every(isKeyList)) return shapes
  throw new Error('record table that is not a list of key lists')
}

function isKeyList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(key => typeof key === 'string')
}
