import type { Redis } from 'ioredis'
import { replyCode } from './failures.ts'
import type { ReadReply } from './read-batch.ts'

/** Reads keys of one server, which need not share a slot, as one pipeline of GETs. Each key has its own reply or error. */
export async function readFromNode(redis: Redis, keys: string[]): Promise<readonly ReadReply[]> {
  const pipeline = redis.pipeline()
  for (const key of keys) pipeline.getBuffer(key)
  const replies = (await pipeline.exec()) ?? []
  return replies.map(([error, bytes]) => {
    if (error === null) return bytes as Buffer | null
    // MGET answers null for a key that holds no string.
    return replyCode(error) === 'WRONGTYPE' ? null : error
  })
}
