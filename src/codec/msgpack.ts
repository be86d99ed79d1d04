import { Packr, RESET_BUFFER_MODE } from 'msgpackr'
import type { Serializer } from '../core/options/options.ts'
import { checkForMsgpack, type MsgpackForm } from './check-value.ts'
import { putOn, takeOff } from './disguise.ts'
import { maxShapes, packOptions, unpackPlain, unpackRecords } from './record-tables.ts'

/*
 * Payload: one byte of flags, the length of the record table (uint32), the table, the body.
 * The table lists the keys of each object shape in the body, so a payload needs nothing but itself to be read, and readers
 * keep the compiled shapes of tables they have met.
 */
const prefixBytes = 5
const flagDisguised = 1
const flagPlain = 2

/** Beyond this the packer's working memory is given back after use. */
const keptBufferBytes = 1 << 20

interface RecordPacker {
  /** Key lists of the shapes met by the last `pack`, in the order of their ids. */
  structures: string[][] & { sharedLength?: number }
  pack(value: unknown, mode: number): Buffer
  useBuffer(buffer: Buffer): void
}

const packer = new Packr({ ...packOptions, structures: [] }) as unknown as RecordPacker
const tablePacker = new Packr({ useRecords: false })
const noTable = Buffer.alloc(0)

/** MessagePack with the object shapes of each value listed once. Keeps what `docs/values.md` lists, and refuses the rest. */
export const msgpack: Serializer = {
  name: 'msgpack',
  id: 2,
  serialize(value) {
    const form = checkForMsgpack(value)
    packer.structures = []
    const body = packer.pack(form === 'awkward' ? putOn(value) : value, RESET_BUFFER_MODE)
    const shapes = packer.structures.slice(0, packer.structures.sharedLength ?? 0)
    const payload = assemble(flagsOf(form, shapes.length), body, shapes)
    if (body.length > keptBufferBytes) packer.useBuffer(Buffer.allocUnsafeSlow(8192))
    return payload
  },
  // A view, since the reader leaves a mark on the buffer it is given.
  deserialize: bytes => readMsgpack(bytes.subarray(), 0),
}

/** Decodes the payload that stands from `start` to the end of `bytes`. For buffers of our own: msgpackr hangs a view on them. */
export function readMsgpack(bytes: Buffer, start: number): unknown {
  const tableStart = start + prefixBytes
  if (bytes.length < tableStart) throw new RangeError('msgpack payload without a prefix')
  const flags = bytes[start] as number
  if (flags > flagPlain) throw new Error(`unknown flags ${flags} in a msgpack payload`)
  const bodyStart = tableStart + bytes.readUInt32BE(start + 1)
  if (bodyStart > bytes.length) throw new RangeError('msgpack payload shorter than its record table')
  if (flags === flagPlain) return unpackPlain(bytes, tableStart, bodyStart)
  const value = unpackRecords(bytes, tableStart, bodyStart)
  return flags === flagDisguised ? takeOff(value) : value
}

function flagsOf(form: MsgpackForm, shapes: number): number {
  if (form === 'awkward') return flagDisguised
  // When the table is full there may be more shapes in the body.
  return form === 'plain' && shapes < maxShapes ? flagPlain : 0
}

/** The packer reuses its memory, so the body is copied before the table is packed. */
function assemble(flags: number, body: Buffer, shapes: string[][]): Buffer {
  if (shapes.length === 0) return Buffer.concat([prefix(flags, 0), noTable, body])
  const copied = Buffer.from(body)
  const table = tablePacker.pack(shapes, RESET_BUFFER_MODE)
  return Buffer.concat([prefix(flags, table.length), table, copied])
}

function prefix(flags: number, tableBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(prefixBytes)
  bytes[0] = flags
  bytes.writeUInt32BE(tableBytes, 1)
  return bytes
}
