import { isLeaseholdError, LeaseholdError } from '../core/errors.ts'
import type { Compression, EntryCodecOptions, Serializer } from '../core/options/options.ts'
import { deflate } from './deflate.ts'
import { offset, payloadStart } from './header.ts'
import { json } from './json.ts'
import { msgpack, readMsgpack } from './msgpack.ts'

/** How many times `maxValueBytes` a payload may grow to by decompression. */
const maxExpansion = 16

/** A compressed payload is kept only if it is smaller by at least this share. */
const minSaving = 1 / 8

const uncompressed = 0

export interface Packed {
  readonly codec: number
  readonly compression: number
  readonly payloadBytes: number
  readonly payload: Uint8Array
}

/** Turns values into payloads and back: serializing, then compressing. */
export class PayloadCodec {
  readonly #serializers: ReadonlyMap<number, Serializer>
  readonly #compressions: ReadonlyMap<number, Compression>
  readonly #writer: Serializer
  readonly #compression: Compression | undefined
  readonly #compressAbove: number
  readonly #maxExpandedBytes: number

  constructor(options: EntryCodecOptions) {
    const builtIn = { json, msgpack }
    this.#writer = typeof options.codec === 'string' ? builtIn[options.codec] : options.codec
    this.#compression = options.compression === 'deflate' ? deflate : options.compression || undefined
    this.#serializers = new Map([json, msgpack, this.#writer].map(serializer => [serializer.id, serializer]))
    this.#compressions = new Map([deflate, this.#compression ?? deflate].map(compression => [compression.id, compression]))
    this.#compressAbove = options.compressAbove
    this.#maxExpandedBytes = options.maxValueBytes * maxExpansion
  }

  /** @throws LeaseholdError `UNSERIALIZABLE_VALUE` */
  pack(value: unknown): Packed {
    const payload = this.#serialize(value)
    const plain = { codec: this.#writer.id, compression: uncompressed, payloadBytes: payload.length, payload }
    const compression = this.#compression
    // A payload too long to be expanded again stays as it is; as an entry it is over the limit anyway.
    const { length } = payload
    if (compression === undefined || length < this.#compressAbove || length === 0 || length > this.#maxExpandedBytes) return plain
    const compressed = compression.compress(Buffer.from(payload.buffer, payload.byteOffset, length))
    if (compressed.length > length * (1 - minSaving)) return plain
    return { ...plain, compression: compression.id, payload: compressed }
  }

  /** Whether this process has the codec and the compression that a verified header names. */
  knows(header: Buffer): boolean {
    const compression = header[offset.compression] as number
    if (compression !== uncompressed && !this.#compressions.has(compression)) return false
    return this.#serializers.has(header[offset.codec] as number)
  }

  /** Whether the lengths in a verified header are ones that {@link pack} could have written. */
  hasSaneLength(bytes: Buffer): boolean {
    const payloadBytes = bytes.readUInt32BE(offset.payloadBytes)
    if (bytes[offset.compression] === uncompressed) return payloadBytes === bytes.length - payloadStart(bytes)
    return payloadBytes <= this.#maxExpandedBytes
  }

  /** Decodes the payload of a verified entry. What it returns shares no memory with `bytes`. @throws when it cannot be decoded. */
  unpack(bytes: Buffer): unknown {
    if (bytes[offset.codec] === msgpack.id && bytes[offset.compression] === uncompressed) {
      return readMsgpack(bytes, payloadStart(bytes))
    }
    const payload = this.#expand(bytes)
    const serializer = this.#serializers.get(bytes[offset.codec] as number)
    if (serializer === undefined) throw new Error('unknown codec')
    // Ours copy what they keep; another's may hand out views of what it was given.
    return serializer.deserialize(serializer === msgpack || serializer === json ? payload : Buffer.from(payload))
  }

  #expand(bytes: Buffer): Buffer {
    const payload = bytes.subarray(payloadStart(bytes))
    const id = bytes[offset.compression] as number
    if (id === uncompressed) return payload
    const compression = this.#compressions.get(id)
    if (compression === undefined) throw new Error('unknown compression')
    const payloadBytes = bytes.readUInt32BE(offset.payloadBytes)
    const expanded = compression.decompress(payload, payloadBytes)
    if (expanded.length !== payloadBytes) {
      throw new RangeError(`payload of ${expanded.length} bytes after decompression, not ${payloadBytes}`)
    }
    return expanded
  }

  #serialize(value: unknown): Uint8Array {
    const { name } = this.#writer
    let payload: Uint8Array
    try {
      payload = this.#writer.serialize(value)
    } catch (cause) {
      if (isLeaseholdError(cause)) throw cause
      throw new LeaseholdError('UNSERIALIZABLE_VALUE', `the codec '${name}' could not serialize the value`, { cause })
    }
    if (payload instanceof Uint8Array) return payload
    throw new LeaseholdError('INVALID_OPTION', `the codec '${name}' must serialize to a Uint8Array`, { option: 'codec' })
  }
}
