import { tally, type FleetCache, type Load } from './fleet-cache.ts'
import type { Member } from './member.ts'
import { sharedNowMs, type Answer, type MemberCallOptions } from './messages.ts'
import { StoredState } from './stored-state.ts'
import { until } from './until.ts'

let made = 0

/** Keys that no scenario has used. */
function newKeys(count: number): string[] {
  const set = ++made
  return Array.from({ length: count }, (_, index) => `key-${set}-${index}`)
}

export interface Stampede {
  readonly loads: number
  readonly answers: Readonly<Record<string, number>>
  /** For each call, how long after the last load's end it was answered, in ms. */
  readonly excessMs: readonly number[]
}

/** All processes miss one key at once. */
export async function coldKey(cache: FleetCache, run: { readonly callers: number; readonly takesMs: number }): Promise<Stampede> {
  const [key] = newKeys(1) as [string]
  const answers = await cache.readEverywhere(key, { takesMs: run.takesMs }, { times: run.callers })
  const loads = cache.loadsOf(key)
  const endedAt = Math.max(...loads.map(load => load.endedAt ?? NaN))
  return { loads: loads.length, answers: tally(answers), excessMs: answers.map(answer => answer.endedAt - endedAt) }
}

export interface HotKey {
  readonly calls: number
  readonly loads: number
  /** How many calls met a load: the records' `miss`es after the cold start. */
  readonly misses: number
  readonly failures: number
  readonly slowestMs: number
}

/** A steady load on one key that expires again and again. */
export async function hotKey(
  cache: FleetCache,
  run: { readonly perSecond: number; readonly forMs: number; readonly takesMs: number; readonly options?: MemberCallOptions },
): Promise<HotKey> {
  const [key] = newKeys(1) as [string]
  const { takesMs, options } = run
  await cache.readEverywhere(key, { takesMs }, options === undefined ? {} : { options })
  await cache.records()
  const answers = await cache.traffic(key, { takesMs }, run)
  const records = await cache.records()
  const misses = Object.entries(records).filter(([name]) => name.startsWith('miss'))
  return {
    calls: answers.length,
    loads: cache.loadsOf(key).length,
    misses: misses.reduce((sum, [, count]) => sum + count, 0),
    failures: answers.filter(answer => answer.error !== undefined).length,
    slowestMs: Math.max(...answers.map(answer => answer.endedAt - answer.startedAt)),
  }
}

export interface Reads {
  readonly reads: number
  /** How many of them got a value that was revoked before they began. */
  readonly outdated: number
  readonly failures: number
}

export interface Forgetting {
  /** For each round, how long after the delete had been sent the last copy was gone, in ms. */
  readonly goneAfterMs: readonly number[]
}

/** Every process keeps a copy in its local tier; one deletes the key, and all copies must go. */
export async function forgetEverywhere(cache: FleetCache, rounds: number): Promise<Forgetting> {
  const [key] = newKeys(1) as [string]
  const goneAfterMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    await cache.rememberEverywhere(key)
    const forgotten = cache.forgottenAt(key)
    const sentAt = sharedNowMs()
    await cache.delete(cache.members[round % cache.members.length] as Member, key)
    goneAfterMs.push(Math.max(...(await Promise.all(forgotten))) - sentAt)
  }
  return { goneAfterMs }
}

export type Invalidation = 'delete' | 'set' | 'expire'
export type Origin = 'the same process' | 'another process'

/**
 * While a loader runs in one process its source changes, and the key is deleted, set or expired. Then everyone reads: before the old load has
 * ended, as it ends, and after it.
 */
export async function invalidateDuringLoad(
  cache: FleetCache,
  invalidation: Invalidation,
  origin: Origin,
  count: number,
): Promise<Reads> {
  const keys = newKeys(count)
  const [holder, other] = cache.members as readonly [Member, Member]
  const by = origin === 'the same process' ? holder : other
  const [old, current, gate] = [`old of ${keys[0]}`, `new of ${keys[0]}`, `gate of ${keys[0]}`]
  await cache.setSource(old)
  const loading = cache.read(holder, keys, { gate })
  await cache.untilLoads(keys, count)
  await cache.setSource(current)
  await (invalidation === 'set' ? cache.set(by, keys, current) : cache[invalidation](by, keys))
  const before = cache.readEverywhere(keys, { takesMs: 10 })
  await Promise.all(cache.members.map(member => member.ask('openGate', { gate })))
  const atOnce = cache.readEverywhere(keys, { takesMs: 10 })
  await loading
  const after = cache.readEverywhere(keys, {})
  const reads = (await Promise.all([before, atOnce, after])).flat()
  return countReads(reads, current)
}

/**
 * A holder is stopped past its lease. Meanwhile another process stores a newer value: by `set` for one half of the keys, by a load of its own
 * for the other. Then the holder goes on and tries to commit what it loaded.
 */
export async function stoppedHolder(
  cache: FleetCache,
  redisUrl: string,
  count: number,
): Promise<Reads & { readonly lost: number }> {
  const keys = newKeys(count)
  const [holder, other] = cache.members as readonly [Member, Member]
  const [old, current, gate] = [`old of ${keys[0]}`, `new of ${keys[0]}`, `gate of ${keys[0]}`]
  await using stored = new StoredState(redisUrl, cache.namespace)
  await cache.setSource(old)
  await cache.records()
  const loading = cache.read(holder, keys, { gate })
  await cache.untilLoads(keys, count)
  await holder.pause()
  // It will find this as it wakes, together with the renewals that have fallen due.
  const opened = holder.ask('openGate', { gate })
  await until(async () => (await stored.leasesHeld(keys)) === 0, 'the leases to run out')
  await other.ask('source', { namespace: cache.namespace, value: current })
  await cache.set(other, keys.slice(0, count / 2), current)
  await cache.read(other, keys.slice(count / 2), {})
  holder.resume()
  await Promise.all([opened, loading])
  const values = (await Promise.all(cache.members.map(member => cache.get(member, keys)))).flat()
  const records = await cache.records()
  return {
    reads: values.length,
    outdated: values.filter(value => value !== current).length,
    failures: 0,
    lost: records['commit:lost'] ?? 0,
  }
}

export interface Killed {
  readonly loads: number
  readonly answers: Readonly<Record<string, number>>
  /** From the kill to the next load's beginning, in ms. */
  readonly delayMs: number
}

/** The process whose loader runs is killed while the others wait. It stays dead: the fleet is one smaller afterwards. */
export async function killedHolder(cache: FleetCache, redisUrl: string, callers: number): Promise<Killed> {
  const [key] = newKeys(1) as [string]
  const gate = `gate of ${key}`
  await using stored = new StoredState(redisUrl, cache.namespace)
  const calls = cache.members
    .filter(member => member.alive)
    .map(member => ({ member, answers: cache.read(member, key, { gate }, { times: callers }) }))
  for (const { answers } of calls) answers.catch(() => {})
  const [first] = (await cache.untilLoads([key], 1)) as [Load]
  await until(async () => (await stored.leaseState(key)) === 'W', 'the others to wait')
  const killedAt = sharedNowMs()
  await first.member.kill()
  const [, second] = (await cache.untilLoads([key], 2)) as [Load, Load]
  const survivors = calls.filter(({ member }) => member !== first.member)
  await Promise.all(survivors.map(({ member }) => member.ask('openGate', { gate })))
  const answers = (await Promise.all(survivors.map(call => call.answers))).flat()
  return { loads: cache.loadsOf(key).length, answers: tally(answers), delayMs: second.beganAt - killedAt }
}

function countReads(reads: readonly Answer[], current: string): Reads {
  return {
    reads: reads.length,
    outdated: reads.filter(read => read.error === undefined && read.value !== current).length,
    failures: reads.filter(read => read.error !== undefined).length,
  }
}
