import type { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { readFromNode } from '../../../src/redis/cluster-reads.ts'

function refusal(message: string): Error {
  const error = new Error(message)
  error.name = 'ReplyError'
  return error
}

function nodeThat(replies: readonly [Error | null, unknown][]) {
  const asked: string[] = []
  const pipeline = { getBuffer: (key: string) => asked.push(key), exec: async () => replies }
  return { asked, redis: { pipeline: () => pipeline } as unknown as Redis }
}

describe('reads of one server of a cluster', () => {
  it('answer each key by itself: a redirection or a refusal of one is none of the others', async () => {
    const value = Buffer.from('value')
    const moved = refusal('MOVED 1 127.0.0.1:7001')
    const { asked, redis } = nodeThat([
      [null, value],
      [moved, undefined],
      [null, null],
    ])
    expect(await readFromNode(redis, ['a', 'b', 'c'])).toEqual([value, moved, null])
    expect(asked).toEqual(['a', 'b', 'c'])
  })

  it('find nothing where another application keeps a list or a hash, as MGET does', async () => {
    const { redis } = nodeThat([[refusal('WRONGTYPE Operation against a key holding the wrong kind of value'), undefined]])
    expect(await readFromNode(redis, ['list'])).toEqual([null])
  })
})
