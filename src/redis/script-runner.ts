import type { Redis } from 'ioredis'
import { replyCode } from './failures.ts'
import type { Script, ScriptArgument } from './script.ts'

/** Calls a script by its hash, and sends its text when the server does not know it. That is the one repeat: nothing was run. */
export async function runScript<Keys extends readonly string[], Arguments extends readonly ScriptArgument[]>(
  redis: Redis,
  script: Script<Keys, Arguments>,
  keys: Keys,
  args: Arguments,
  onRetry?: () => void,
): Promise<unknown> {
  try {
    return await redis.callBuffer('evalsha', script.sha1, keys.length, ...keys, ...args)
  } catch (error) {
    if (replyCode(error) !== 'NOSCRIPT') throw error
    onRetry?.()
    return redis.callBuffer('eval', script.source, keys.length, ...keys, ...args)
  }
}
