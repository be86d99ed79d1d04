import { fileURLToPath } from 'node:url'
import { createEntryCodec } from '../src/codec/entry-codec.ts'
import { json } from '../src/codec/json.ts'
import { lz4 } from '../src/codec/lz4.ts'
import { msgpack } from '../src/codec/msgpack.ts'
import type { EntryCodecOptions } from '../src/core/options/options.ts'
import type { EntryCodec } from '../src/core/ports.ts'
import { codecPayloads, products } from './codec-payloads.ts'
import { median } from './measurement.ts'
import { printTable } from './print-table.ts'

interface Contender {
  readonly name: string
  encode(value: unknown): Buffer
  decode(bytes: Buffer): unknown
}

interface Cost {
  readonly name: string
  readonly bytes: number
  readonly encodeUs: number
  readonly decodeUs: number
}

const rounds = 11
const roundMs = 12

const key = { key: 'product:list:home', version: 0 }
const token = Buffer.alloc(16, 7)
const times = { createdAt: 1_700_000_000_000, freshUntil: 1_700_000_300_000, hardUntil: 1_700_000_900_000, loadMs: 40 }

/** Bytes per µs on a wire of 1 Gbit/s. */
const gigabit = 125

/** Prints what serializing and compressing cost, in CPU µs, and the size of what they produce. Takes about ten seconds. */
export function benchCodecs(): void {
  for (const [payload, value] of Object.entries(codecPayloads)) {
    console.log(`\nCodecs: ${payload}; CPU µs per call, medians of ${rounds} interleaved rounds`)
    printTable(
      ['contender', 'bytes', 'encode µs', 'decode µs'],
      compare(codecContenders(), value).map(cost => [cost.name, cost.bytes, round(cost.encodeUs), round(cost.decodeUs)]),
    )
  }
  console.log(
    '\nCompression of whole entries: CPU µs per call; "wire µs saved" at 1 Gbit/s, "net" = that less the extra decoding',
  )
  for (const codec of ['msgpack', 'json'] as const) {
    const rows = [6, 12, 25, 50, 100, 200, 600].flatMap(count => compressionRows(codec, products(count)))
    printTable([codec, 'entry bytes', 'kept', 'encode µs', 'decode µs', 'wire µs saved', 'net µs'], rows)
  }
}

function codecContenders(): Contender[] {
  return [
    {
      name: 'JSON, unchecked',
      encode: value => Buffer.from(JSON.stringify(value)),
      decode: bytes => JSON.parse(bytes.toString()) as unknown,
    },
    { name: 'json', encode: value => Buffer.from(json.serialize(value)), decode: bytes => json.deserialize(bytes) },
    { name: 'msgpack', encode: value => Buffer.from(msgpack.serialize(value)), decode: bytes => msgpack.deserialize(bytes) },
    entryContender('entry, msgpack, copy', { compression: false }),
    entryContender('entry, msgpack, freeze', { compression: false, values: 'freeze' }),
  ]
}

function entryContender(name: string, options: Partial<EntryCodecOptions>): Contender {
  const defaults = { namespace: 'bench', values: 'copy', codec: 'msgpack', compression: 'deflate', compressAbove: 0 } as const
  const codec: EntryCodec = createEntryCodec({ ...defaults, maxValueBytes: 1 << 20, ...options })
  return {
    name,
    encode: value => codec.encode(key, value, times, token),
    decode(bytes) {
      const entry = codec.open(key, bytes)
      if ('unreadable' in entry) throw new Error(entry.unreadable)
      return entry.value()
    },
  }
}

function compressionRows(codec: 'msgpack' | 'json', value: unknown): (string | number)[][] {
  const contenders = [
    entryContender('none', { codec, compression: false }),
    entryContender('deflate', { codec }),
    entryContender('lz4', { codec, compression: lz4() }),
  ]
  const costs = compare(contenders, value)
  const plain = costs[0] as Cost
  return costs.map(cost => {
    const savedUs = (plain.bytes - cost.bytes) / gigabit
    const kept = `${Math.round((100 * cost.bytes) / plain.bytes)} %`
    const net = savedUs - (cost.decodeUs - plain.decodeUs)
    return [cost.name, cost.bytes, kept, round(cost.encodeUs), round(cost.decodeUs), round(savedUs), round(net)]
  })
}

/** Every contender has its turn in every round, so that what else the machine does hits all alike. */
function compare(contenders: readonly Contender[], value: unknown): Cost[] {
  const samples = contenders.map(contender => {
    const bytes = contender.encode(value)
    return { contender, bytes, encode: [] as number[], decode: [] as number[] }
  })
  for (let turn = 0; turn < rounds; turn++) {
    for (const { contender, bytes, encode, decode } of samples) {
      encode.push(microsecondsOf(() => contender.encode(value)))
      decode.push(microsecondsOf(() => contender.decode(bytes)))
    }
  }
  return samples.map(({ contender, bytes, encode, decode }) => ({
    name: contender.name,
    bytes: bytes.length,
    encodeUs: median(encode),
    decodeUs: median(decode),
  }))
}

/** Time on the CPU rather than on the clock, so that a busy machine does not change the figures. */
function microsecondsOf(run: () => unknown): number {
  const endsAt = performance.now() + roundMs
  const startedAt = process.cpuUsage()
  let calls = 0
  while (performance.now() < endsAt) {
    for (let call = 0; call < 8; call++) run()
    calls += 8
  }
  const { user, system } = process.cpuUsage(startedAt)
  return (user + system) / calls
}

function round(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) benchCodecs()
