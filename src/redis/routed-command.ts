import type { Redis } from 'ioredis'
import type { Connection } from './connection.ts'
import type { CommandTime } from './deadline.ts'
import { commandFailure, replyCode, timedOut } from './failures.ts'
import { parseRedirection } from './redirection.ts'
import type { Router } from './router.ts'
import type { StoreNode } from './store-node.ts'
import { endOfTurn } from './turns.ts'

/** The owner of a slot once its connection has been tried for the first time. Later on nothing is waited for. */
export async function reach(router: Router, slot: number, role: 'reads' | 'scripts', found?: StoreNode): Promise<StoreNode> {
  if (found === undefined) await router.firstAttempt
  const node = found ?? router.owner(slot)
  await node?.[role].firstAttempt
  if (node?.[role].usable === true) return node
  // Refused at once, a caller that does nothing but ask again would keep the event loop from bringing the connection back.
  await new Promise(resolve => void endOfTurn(resolve))
  throw node === undefined ? router.fault : node[role].fault
}

/**
 * Sends a command to the owner of its slot, and follows redirections, which servers give instead of running it.
 * Nothing is sent once the time is over.
 *
 * @param redirectedBy The redirection that an earlier try of the same command was given.
 */
export async function sendRouted<Reply>(
  router: Router,
  slot: number,
  role: 'reads' | 'scripts',
  name: string,
  time: CommandTime,
  send: (redis: Redis) => Promise<Reply>,
  redirectedBy?: Error,
): Promise<Reply> {
  let found: StoreNode | undefined
  let asking = false
  let refusal: unknown = redirectedBy
  for (let hop = 0; ; hop++) {
    if (refusal !== undefined) {
      const detour = router.detour(slot, refusal, hop)
      if (detour === undefined) throw commandFailure(name, refusal)
      time.inFlight = false
      ;({ node: found, asking } = await detour)
    }
    // Sent in the caller's own tick when it can be: whatever runs in between would use up the command's time.
    const known = found ?? router.owner(slot)
    const node = known?.[role].usable === true ? known : await reach(router, slot, role, found)
    if (time.expired) throw timedOut(name, 0, false)
    const connection: Connection = node[role]
    time.inFlight = true
    const sample = node.breaker.begin()
    time.onExpire = error => node.breaker.end(sample, error)
    try {
      if (asking) connection.redis.asking().catch(() => {})
      const reply = await send(connection.redis)
      node.breaker.end(sample)
      return reply
    } catch (error) {
      refusal = error
      // A redirection is an answer.
      node.breaker.end(sample, parseRedirection(error) === undefined ? commandFailure(name, error) : undefined)
      if (replyCode(error) === 'READONLY') connection.doubt()
    }
  }
}
