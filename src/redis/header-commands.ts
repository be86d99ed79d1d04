import type { Redis } from 'ioredis'
import { headerBytes } from '../codec/header.ts'
import { replyCode } from './failures.ts'
import type { ReadReply } from './read-batch.ts'

const lastByte = headerBytes - 1

/** Reads the headers of keys of one server, which need not share a slot, as one pipeline. A namespace record is shorter, so it comes whole. */
export async function readHeaders(redis: Redis, keys: readonly string[]): Promise<readonly ReadReply[]> {
  const pipeline = redis.pipeline()
  for (const key of keys) pipeline.getrangeBuffer(key, 0, lastByte)
  const replies = (await pipeline.exec()) ?? []
  return replies.map(([error, bytes]) => {
    if (error === null) return orNull(bytes as Buffer)
    // A connection that was lost is no key's own fault.
    if (replyCode(error) === '') throw error
    return replyCode(error) === 'WRONGTYPE' ? null : error
  })
}

export async function readHeader(redis: Redis, key: string): Promise<Buffer | null> {
  return orNull(await redis.getrangeBuffer(key, 0, lastByte))
}

/** GETRANGE answers with nothing for a key that is not there. */
function orNull(bytes: Buffer): Buffer | null {
  return bytes.length === 0 ? null : bytes
}
