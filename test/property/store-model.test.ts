import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { headerBytes, writeHeader } from '../../src/codec/header.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { EntryKey, Marker, Store, StoreProvider, Token } from '../../src/core/ports.ts'
import { memoryStore } from '../../src/memory/memory-store.ts'
import { redisStore } from '../../src/redis/index.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'

/** Which of a few tokens, so that commands meet each other's leases and values often. */
const tokenCount = 5
const tokens: readonly Token[] = Array.from({ length: tokenCount }, (_, index) => Buffer.alloc(16, index + 1))
const keys: readonly EntryKey[] = [0, 1, 2, 3].map(version => ({ key: 'a', version })).concat({ key: 'a\0', version: 1 })
/** Nothing ends by itself while a sequence runs: expiry is for the contract, which may wait. */
const longMs = 600_000
const timeoutMs = 10_000

type Shape = 'fresh' | 'stale' | 'foreign' | 'next-version' | 'short' | 'empty'
type Operation =
  | { readonly kind: 'read' | 'remove' | 'expire'; readonly key: number }
  | {
      readonly kind: 'acquire'
      readonly key: number
      readonly token: number
      readonly seen: readonly number[] | 'any'
      readonly dead: readonly number[]
      readonly wait: boolean
      readonly late: boolean
    }
  | { readonly kind: 'renew'; readonly key: number; readonly token: number }
  | { readonly kind: 'commit'; readonly key: number; readonly token: number; readonly shape: Shape; readonly late: boolean }
  | { readonly kind: 'release'; readonly key: number; readonly token: number; readonly marker: Marker['kind'] }
  | { readonly kind: 'put'; readonly key: number; readonly token: number; readonly shape: Shape; readonly late: boolean }

const key = fc.nat(keys.length - 1)
const token = fc.nat(tokenCount - 1)
const tokenList = fc.uniqueArray(token, { maxLength: 3 })
const shape = fc.oneof(
  { weight: 3, arbitrary: fc.constant('fresh' as const) },
  { weight: 2, arbitrary: fc.constant('stale' as const) },
  { weight: 2, arbitrary: fc.constantFrom('foreign' as const, 'next-version' as const, 'short' as const, 'empty' as const) },
)
const late = fc.nat(9).map(draw => draw === 0)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('read' as const, 'remove' as const, 'expire' as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('acquire' as const),
      key,
      token,
      seen: fc.oneof(tokenList, fc.constant('any' as const)),
      dead: tokenList,
      wait: fc.boolean(),
      late,
    }),
  },
  fc.record({ kind: fc.constant('renew' as const), key, token }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const), key, token, shape, late }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      key,
      token,
      marker: fc.constantFrom('none' as const, 'do-not-queue' as const, 'cooldown' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('put' as const), key, token, shape, late }) },
)

/** One store under the sequence: what it answers, and whom it wakes. */
interface Subject {
  readonly store: Store
  readonly wakes: string[]
}

async function openSubject(provider: StoreProvider): Promise<Subject> {
  const wakes: string[] = []
  let up = () => {}
  const busLive = new Promise<void>(resolve => (up = resolve))
  const store = provider.open({
    namespace: ownNamespace(),
    clock: systemClock,
    random: seededRandom(1),
    maxKeyBytes: 512,
    listeners: { onWake: id => void wakes.push(id), onBus: live => live && up(), onReady: () => {} },
  })
  await store.ready(keys[0]!, timeoutMs)
  await busLive
  return { store, wakes }
}

/** The same bytes for every store: times far enough from now that a different clock makes no difference. */
function bytesOf(shapeOf: Shape, tokenOf: Token, nowMs: number): Buffer {
  if (shapeOf === 'empty') return Buffer.alloc(0)
  const bytes = Buffer.alloc(headerBytes + 3, 'xyz')
  const freshUntil = shapeOf === 'stale' ? nowMs - longMs : nowMs + longMs
  writeHeader(bytes, {
    createdAt: nowMs - 2 * longMs,
    freshUntil,
    hardUntil: freshUntil + longMs,
    loadMs: 1,
    codec: 1,
    compression: 0,
    token: tokenOf,
    payloadBytes: 3,
  })
  if (shapeOf === 'foreign') bytes.write('XX')
  if (shapeOf === 'next-version') bytes[2] = 2
  return shapeOf === 'short' ? bytes.subarray(0, headerBytes - 1) : bytes
}

const marker: Readonly<Record<Marker['kind'], Marker>> = {
  none: { kind: 'none' },
  'do-not-queue': { kind: 'do-not-queue', markerMs: longMs },
  cooldown: { kind: 'cooldown', markerMs: longMs, errorCode: 'ECONNRESET' },
}

/** What a store answers, without the one thing that depends on when it was asked. */
async function answer({ store }: Subject, step: Operation, nowMs: number): Promise<unknown> {
  const target = keys[step.key]!
  const by = 'token' in step ? tokens[step.token]! : tokens[0]!
  const notAfter = 'late' in step && step.late ? store.now(target) - timeoutMs : store.notAfter(target, timeoutMs)
  const timed = { ...target, timeoutMs, notAfter }
  switch (step.kind) {
    case 'read':
      return store.read(target, timeoutMs)
    case 'remove':
      return store.remove({ ...target, timeoutMs })
    case 'expire':
      return store.expire({ ...target, timeoutMs })
    case 'acquire': {
      const seen = step.seen === 'any' ? step.seen : step.seen.map(index => tokens[index]!)
      const dead = step.dead.map(index => tokens[index]!)
      const reply = await store.acquire({ ...timed, token: by, leaseMs: longMs, seen, dead, wait: step.wait })
      return 'remainingMs' in reply ? { ...reply, remainingMs: reply.remainingMs > 0 && reply.remainingMs <= longMs } : reply
    }
    case 'renew':
      return store.renew({ ...target, timeoutMs, token: by, leaseMs: longMs })
    case 'commit':
      return store.commit({ ...timed, token: by, bytes: bytesOf(step.shape, by, nowMs), keepMs: longMs })
    case 'release':
      return store.release({ ...target, timeoutMs, token: by, marker: marker[step.marker] })
    case 'put':
      return store.put({ ...timed, bytes: bytesOf(step.shape, by, nowMs), keepMs: longMs })
  }
}

/** What the sequence left behind: every value, and what an acquire finds at every lease. */
async function remains(subject: Subject): Promise<unknown> {
  const rest = []
  for (const index of keys.keys()) {
    rest.push(await answer(subject, { kind: 'read', key: index }, 0))
    const ask: Operation = { kind: 'acquire', key: index, token: 0, seen: 'any', dead: [], wait: false, late: false }
    rest.push(await answer(subject, ask, 0))
  }
  return rest
}

/** Whose waiters were woken, in order. Wake-ups are told in order: once the one made here has come, all before it have. */
async function wokenKeys(subject: Subject): Promise<unknown[]> {
  const { store, wakes } = subject
  const probe = { key: 'probe', version: 0, timeoutMs }
  const acquire = { ...probe, leaseMs: longMs, seen: 'any', dead: [], notAfter: store.notAfter(probe, timeoutMs) } as const
  await store.acquire({ ...acquire, token: tokens[0]!, wait: false })
  await store.acquire({ ...acquire, token: tokens[1]!, wait: true })
  await store.release({ ...probe, token: tokens[0]!, marker: { kind: 'none' } })
  await expect.poll(() => wakes.includes(store.wakeId(probe)), { interval: 1, timeout: timeoutMs }).toBe(true)
  // Stores may spell keys in their own ways.
  const named = new Map([...keys, probe].map(each => [store.wakeId(each), { key: each.key, version: each.version }]))
  return wakes.map(wakeId => named.get(wakeId) ?? wakeId)
}

describe('the embedded store and the Redis store', () => {
  const providers = [memoryStore(), redisStore(sharedRedisUrl(), { breaker: false })]
  const held = providers.map(provider =>
    provider.open({
      namespace: ownNamespace(),
      clock: systemClock,
      random: seededRandom(1),
      maxKeyBytes: 512,
      listeners: { onWake: () => {}, onBus: () => {}, onReady: () => {} },
    }),
  )
  afterAll(() => Promise.all(held.map(store => store.close())))

  it('answer every command alike, wake the same waiters and leave the same behind, whatever came before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' }), async steps => {
        const subjects = await Promise.all(providers.map(openSubject))
        try {
          const nowMs = Date.now()
          for (const [index, step] of steps.entries()) {
            const [memory, redis] = await Promise.all(subjects.map(subject => answer(subject, step, nowMs)))
            expect(memory, `step ${index}: ${JSON.stringify(step)}`).toEqual(redis)
          }
          const [memoryLeft, redisLeft] = await Promise.all(subjects.map(remains))
          expect(memoryLeft).toEqual(redisLeft)
          const [memoryWakes, redisWakes] = await Promise.all(subjects.map(wokenKeys))
          expect(memoryWakes).toEqual(redisWakes)
        } finally {
          await Promise.all(subjects.map(({ store }) => store.close()))
        }
      }),
      { numRuns: 150 },
    )
  })
})
