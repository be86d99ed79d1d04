import type { Redis } from 'ioredis'
import { replyCode } from '../redis/failures.ts'
import { Keys } from '../redis/keys.ts'
import type { Deployment } from './deployment.ts'
import { globOf, scanKeys } from './scan.ts'

const maxKeyBytes = 512
/** Where there are more keys, it is taken for used. */
const mostScans = 2_000
/** What PTTL says of a key that is not there. */
const gone = -2

/** Whether a namespace has neither a key nor a process that listens, as one whose name is misspelled. What cannot be found out counts as used. */
export async function isUnused(deployment: Deployment, namespace: string): Promise<boolean> {
  const { keyPrefix, database } = deployment
  const keys = new Keys(namespace, keyPrefix, database, maxKeyBytes)
  try {
    for (const name of [keys.record, keys.tagTable, keys.counter])
      if ((await deployment.ask(keys.namespaceSlot, redis => redis.pttl(name))) !== gone) return false
    const { reached, missed } = await deployment.primaries()
    if (missed.length > 0) return false
    const match = `${globOf(`${keyPrefix}${namespace}:`)}*`
    for (const node of reached) {
      if (await hasListeners(node, keys)) return false
      const found = await scanKeys(node, { limit: 1, match, maxScans: mostScans })
      if (!found.complete || found.keys.length > 0) return false
    }
    return true
  } catch (error) {
    if (replyCode(error) === '') throw error
    return false
  }
}

/** A process that caches nothing in Redis yet may hold copies. */
async function hasListeners(node: Redis, keys: Keys): Promise<boolean> {
  const reply = (await node.call('PUBSUB', 'NUMSUB', keys.channel, keys.changes)) as unknown[]
  return reply.some((count, at) => at % 2 === 1 && Number(count) > 0)
}
