import type { Redis } from 'ioredis'
import { hasHeader, headerBytes, mark, offset, readTime } from '../../codec/header.ts'
import { parseKey } from '../../redis/parse-key.ts'
import { scanKeys } from '../scan.ts'
import { lookWhereScanned } from '../while-slots-move.ts'
import type { KeySample, SampledKey } from './facts.ts'

const keysPerPipeline = 250
const nested = '5'
/** What PTTL says of a key that is not there. */
const gone = -2

/** Looks at up to `limit` keys: lifetime, size, and of entries the header. */
export async function sampleKeys(redis: Redis, limit: number, serverNowMs: number): Promise<KeySample> {
  const [{ keys, complete }, total] = await Promise.all([scanKeys(redis, { limit, maxScans: limit }), redis.dbsize()])
  const sampled: SampledKey[] = []
  for (let at = 0; at < keys.length; at += keysPerPipeline) {
    sampled.push(...(await lookAt(redis, keys.slice(at, at + keysPerPipeline), serverNowMs)))
  }
  return { keys: sampled, complete, total: Math.max(total, sampled.length) }
}

async function lookAt(redis: Redis, names: readonly string[], serverNowMs: number): Promise<SampledKey[]> {
  const looked = names.map(async name => {
    const stored = parseKey(name)
    const [ttlMs, bytes, header] = await Promise.all([
      lookWhereScanned(redis, gone, node => node.pttl(name)),
      lookWhereScanned(redis, undefined, node => node.call('MEMORY', 'USAGE', name, 'SAMPLES', nested).then(Number)).catch(
        () => undefined,
      ),
      stored?.kind === 'value' ? readHeader(redis, name) : undefined,
    ])
    // Gone since it was scanned.
    if (ttlMs === gone) return undefined
    return { name, stored, ttlMs, bytes, freshMs: header === undefined ? undefined : freshFor(header, serverNowMs) }
  })
  return (await Promise.all(looked)).filter(key => key !== undefined)
}

function readHeader(redis: Redis, name: string): Promise<Buffer | undefined> {
  return lookWhereScanned<Buffer | undefined>(redis, undefined, node => node.getrangeBuffer(name, 0, headerBytes - 1)).catch(
    () => undefined,
  )
}

function freshFor(header: Buffer, serverNowMs: number): number | undefined {
  if (!hasHeader(header)) return undefined
  return header[offset.mark] === mark.expired ? 0 : Math.max(0, readTime(header, offset.freshUntil) - serverNowMs)
}
