import { randomBytes } from 'node:crypto'
import { createCache, type Cache } from '../../../src/index.ts'
import { redisStore } from '../../../src/redis/index.ts'
import * as scripts from '../../../src/redis/scripts.gen.ts'
import { EventTally } from '../../fleet/event-tally.ts'
import { sharedNowMs } from '../../fleet/messages.ts'
import { until } from '../../fleet/until.ts'
import { checkHistory } from '../../histories/checker.ts'
import { History } from '../../histories/history.ts'
import { nameOf, RecordedCache } from '../../histories/recorded-cache.ts'
import { FaultProxy, type Direction } from '../fault-proxy.ts'
import { mostLoads, type Measured, type Row, type Size } from '../measured.ts'
import { OwnRedis } from '../own-redis.ts'

/** A process's cache, but in this process. */
interface Actor {
  readonly cache: Cache
  readonly calls: RecordedCache
}

/** A command that is cut, and the call that sends it. */
interface Victim {
  readonly name: string
  /** In its request. */
  readonly word: string
  /** Makes the key ready for the call. */
  readonly prepare?: (other: Actor, key: number) => Promise<unknown>
  readonly call: (actor: Actor, key: number) => Promise<unknown>
}

const leaseMs = 300
const quick = { takesMs: 1 }

const victims: readonly Victim[] = [
  {
    name: 'read',
    word: 'mget',
    prepare: (other, key) => other.calls.set(key),
    call: ({ calls }, key) => calls.getOrSet(key, quick),
  },
  { name: 'acquire', word: scripts.acquire.sha1, call: ({ calls }, key) => calls.getOrSet(key, quick) },
  { name: 'commit', word: scripts.commit.sha1, call: ({ calls }, key) => calls.getOrSet(key, quick) },
  { name: 'renew', word: scripts.renew.sha1, call: ({ calls }, key) => calls.getOrSet(key, { takesMs: leaseMs }) },
  { name: 'release', word: scripts.release.sha1, call: ({ calls }, key) => calls.getOrSet(key, { takesMs: 1, ends: 'error' }) },
  {
    name: 'put',
    word: scripts.put.sha1,
    prepare: (other, key) => other.calls.getOrSet(key, quick),
    call: ({ calls }, key) => calls.set(key),
  },
  {
    name: 'remove',
    word: scripts.remove.sha1,
    prepare: (other, key) => other.calls.getOrSet(key, quick),
    call: ({ calls }, key) => calls.delete(key),
  },
  {
    name: 'expire',
    word: scripts.expire.sha1,
    prepare: (other, key) => other.calls.getOrSet(key, quick),
    call: ({ calls }, key) => calls.expire(key),
  },
]

/** A key that nobody changes. */
const probe = 0

/** Every how many bytes a connection is cut. */
const steps: Readonly<Record<Size, Readonly<Record<Direction, number>>>> = {
  short: { requests: 101, replies: 9 },
  full: { requests: 7, replies: 1 },
}

async function run(size: Size): Promise<Measured> {
  const redis = await OwnRedis.start()
  const proxy = await FaultProxy.start(redis.port)
  const history = new History()
  const namespace = `cut-${randomBytes(6).toString('hex')}`
  const open = (url: string, process: number): Actor & { readonly tally: EventTally } => {
    // So many cuts would open the breaker, and nothing would be sent that could be cut.
    const store = redisStore(url, { breaker: false })
    const cache = createCache({ namespace, store, lease: leaseMs, commandTimeout: '500ms', storeBudget: '1s' })
    const calls = new RecordedCache({ cache, process, record: operation => history.add(operation) })
    return { cache, calls, tally: new EventTally(cache) }
  }
  const [victim, other] = [open(proxy.url, 1), open(redis.url, 2)]
  const cuts: { name: string; direction: Direction; keys: number[] }[] = []
  const recoveriesMs: number[] = []
  const failures: string[] = []
  let lastKey = 0
  try {
    for (const actor of [victim, other]) await until(() => actor.tally.standing.size === 2, 'the connections')
    await other.calls.getOrSet(probe, quick)
    // Once each, so that the server knows the scripts and the lengths are known.
    const lengths = new Map<string, { request: number; reply: number }>()
    for (const { name, word, prepare, call } of [...victims, ...victims]) {
      const key = ++lastKey
      await prepare?.(other, key)
      const measured = proxy.measure(word)
      await call(victim, key)
      await until(() => measured().reply > 0, `the reply to ${name}`)
      lengths.set(name, { ...measured() })
    }
    for (const { name, word, prepare, call } of victims) {
      const { request, reply } = lengths.get(name) ?? { request: 0, reply: 0 }
      for (const direction of ['requests', 'replies'] as const) {
        const keys: number[] = []
        const length = direction === 'requests' ? request : reply
        for (let after = 0; after < length; after += steps[size][direction]) {
          const key = ++lastKey
          keys.push(key)
          await prepare?.(other, key)
          const before = proxy.cuts
          proxy.cut({ word, direction, after })
          await call(victim, key)
          await until(() => proxy.cuts > before, `${name} to be cut after ${after} bytes of ${direction}`, 5000)
          const cutAt = sharedNowMs()
          // Others go on at once. What could not be told is told when the connections are back, and then both agree on what is stored.
          await other.calls.getOrSet(key, quick)
          await until(() => isBack(victim.cache), 'the connections to be back')
          recoveriesMs.push(sharedNowMs() - cutAt)
          const stored = await other.calls.getOrSet(key, quick)
          const answered = await victim.calls.getOrSet(key, quick)
          if (answered.value?.id !== stored.value?.id || answered.outcome !== 'hit')
            failures.push(`${name} cut after ${after} bytes of ${direction}: the processes disagree`)
        }
        cuts.push({ name, direction, keys })
      }
    }
    const { counts, violations } = checkHistory(history)
    const errors = victim.calls.takeErrors()
    const mostOf = (some: readonly { readonly keys: readonly number[] }[]): number =>
      Math.max(...some.map(({ keys }) => mostLoads(history, keys)))
    const failedReads = Object.entries(errors).filter(
      ([error]) => error.startsWith('get') && !error.endsWith('the source failed'),
    )
    const forOthers = Object.keys(other.calls.takeErrors()).map(error => `the process that was not cut saw ${error}`)
    return {
      counts,
      failures: [...failures, ...forOthers, ...violations.map(({ text }) => text)],
      // One by the call that was cut, one by who comes next.
      loads: [
        { when: 'in all', most: mostOf(cuts.filter(({ name }) => !isToldLater(name))), allowed: 2 },
        // What could not be told is told afterwards, and takes along what has been loaded since.
        { when: 'of a deleted or expired key', most: mostOf(cuts.filter(({ name }) => isToldLater(name))), allowed: 3 },
      ],
      failedReads: failedReads.length,
      errors,
      recoveryMs: Math.max(...recoveriesMs),
      notes: [`${cuts.reduce((sum, { keys }) => sum + keys.length, 0)} cuts: ${victims.map(({ name }) => name).join(', ')}`],
    }
  } finally {
    await Promise.all([victim.cache.close(), other.cache.close()])
    await proxy[Symbol.asyncDispose]()
    await redis.stop()
  }
}

/** Whether an invalidation of that name is deferred when it cannot be told. */
function isToldLater(name: string): boolean {
  return name === 'remove' || name === 'expire'
}

/** Reads and scripts have a connection each. */
async function isBack(cache: Cache): Promise<boolean> {
  const reads = cache.getEntry(nameOf(probe)).then(entry => entry !== undefined)
  const scripted = cache.delete('no such key').then(
    outcome => outcome === 'applied',
    () => false,
  )
  return (await reads) && (await scripted) && cache.status().deferredInvalidations === 0
}

export const cutRow: Row = {
  name: 'cut-at-each-byte',
  title: 'RST at each byte of requests and replies',
  recoveredFrom: 'from the reset, longest',
  run,
}
