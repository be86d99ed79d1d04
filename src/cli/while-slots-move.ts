import type { Redis } from 'ioredis'
import type { Address } from './connect.ts'
import { parseRedirection, redirectionDelayMs } from '../redis/redirection.ts'

/** Gives one command, at once, to the connection that it is handed. */
export type Send<T> = (redis: Redis) => Promise<T>

const mostHops = 5

/** Follows a key whose slot is on its way from one node of a cluster to another. */
export async function followKey<T>(owner: Redis, reach: (address: Address) => Promise<Redis>, send: Send<T>): Promise<T> {
  let node = owner
  let asking = false
  for (let hop = 0; ; hop++) {
    try {
      return await (asking ? sendAsking(node, send) : send(node))
    } catch (error) {
      const redirection = parseRedirection(error)
      if (redirection === undefined || hop === mostHops) throw error
      asking = redirection.kind === 'ask'
      if (redirection.kind === 'retry') await new Promise(resolve => setTimeout(resolve, redirectionDelayMs(hop)))
      else node = await reach(redirection)
    }
  }
}

/**
 * Looks at a key where it was scanned. A node that a slot is moving to has the key, and gives it only to who says that it is asking.
 *
 * @returns `gone` if it has left for another node since
 */
export async function lookWhereScanned<T>(redis: Redis, gone: T, send: Send<T>): Promise<T> {
  try {
    return await send(redis)
  } catch (error) {
    if (parseRedirection(error) === undefined) throw error
  }
  try {
    return await sendAsking(redis, send)
  } catch (error) {
    if (parseRedirection(error) === undefined) throw error
    return gone
  }
}

/** ASKING holds for the very next command of its connection. */
function sendAsking<T>(redis: Redis, send: Send<T>): Promise<T> {
  // Should it fail, so does the command.
  redis.call('ASKING').catch(() => {})
  return send(redis)
}
