import type { CacheOptions, CallOptions, RefreshOptions, SetOptions } from '../../src/index.ts'
import { Dice } from './dice.ts'
import { makeAftermath } from './make-aftermath.ts'
import { makeFaults } from './make-faults.ts'
import type { GetOrSetOp, LoaderPlan, Op, Plan, PlainOp, SetOp, TagsOp, Weather } from './plan.ts'

const hourMs = 3_600_000
const lastLooks = 15
const allKeys = ['k0', 'k1', 'k2'] as const
const allTags = ['t0', 't1', 't2'] as const

/** One schedule of so many has large values, which all processes but the first remember. */
const largeEvery = 32
const largeOptions = { maxValueBytes: 16_384, compression: false } as const
const rememberingOptions = { values: 'freeze', local: { mode: 'validate' } } as const

/** How much one schedule goes through: the kinds of trouble it may have, and how many calls. */
export function makePlan(seed: number): Plan {
  const dice = new Dice(seed)
  const calm = dice.chance(0.2)
  const processes = dice.pick([3, 3, 3, 4, 5])
  const keys = allKeys.slice(0, dice.pick([1, 1, 2, 3]))
  const versions = dice.chance(0.2) ? [0, 1, 2] : [dice.pick([0, 0, 0, 3])]
  // Not thrown for, so that what else a seed gives stays as it was.
  const large = seed % largeEvery === 3
  const copies = large ? 'none' : dice.weighted({ none: 60, some: 25, long: 15 })
  const endsAt = copies === 'long' ? dice.between(4000, 7000) : dice.between(800, 3000)
  const options = { ...cacheOptions(dice, calm), ...(copies === 'long' ? { ttl: 8000 } : {}) }
  const room = { dice, calm, processes, keys, versions, endsAt, copies }
  const plan = {
    seed,
    calm,
    processes: Array.from({ length: processes }, (_, nth) => ({
      wallOffsetMs: Math.round(dice.between(-hourMs, hourMs)),
      options: {
        ...options,
        values: dice.pick(['copy', 'copy', 'freeze'] as const),
        codec: dice.pick(['msgpack', 'json'] as const),
        ...(copies !== 'none' && dice.chance(0.8) ? { local: localOptions(dice) } : {}),
        ...(large ? largeOptions : {}),
        ...(large && nth > 0 ? rememberingOptions : {}),
      },
    })),
    recordApart: seed % 2 === 1,
    large,
    weather: makeWeather(dice, calm),
    ops: makeOps(room),
    faults: calm ? [] : makeFaults(room),
    spared: new Set<string>(),
  }
  const aftermath = makeAftermath(room, plan.faults, plan.ops.length)
  return { ...plan, ops: [...plan.ops, ...aftermath].toSorted((a, b) => a.at - b.at) }
}

function makeWeather(dice: Dice, calm: boolean): Weather {
  const fair = {
    lostRequest: 0,
    lostReply: 0,
    lateRequest: 0,
    lateMs: 0,
    resent: 0,
    lostWake: 0,
    repeatedWake: 0,
    lateWake: 0,
    lostChange: 0,
    repeatedChange: 0,
    lateChange: 0,
  }
  if (calm) return { requestMs: dice.pick([2, 12]), replyMs: dice.pick([2, 12]), wakeMs: dice.pick([2, 12]), ...fair }
  const ways = { requestMs: dice.pick([2, 15, 30]), replyMs: dice.pick([2, 15, 30]), wakeMs: dice.pick([5, 40]) }
  if (dice.chance(0.3)) return { ...ways, ...fair }
  const share = (): number => dice.pick([0, 0, 0.02, 0.1])
  return {
    ...ways,
    lostRequest: share(),
    lostReply: share(),
    lateRequest: share(),
    lateMs: dice.pick([100, 400]),
    resent: share(),
    lostWake: dice.pick([0, 0.1, 0.5]),
    repeatedWake: share(),
    lateWake: share(),
    lostChange: dice.pick([0, 0, 0.05, 0.3]),
    repeatedChange: share(),
    lateChange: share(),
  }
}

function cacheOptions(dice: Dice, calm: boolean): Partial<CacheOptions> {
  const commandTimeout = calm ? 100 : dice.pick([40, 100])
  return {
    ...policyOptions(dice, calm),
    commandTimeout,
    storeBudget: calm ? 250 : dice.pick([commandTimeout, 150, 250]),
    maxRefreshes: dice.pick([1, 2, 16]),
    maxValueBytes: 2048,
    compressAbove: 200,
    closeTimeout: dice.pick([0, 100, 400]),
  }
}

function localOptions(dice: Dice): NonNullable<CacheOptions['local']> {
  return { mode: 'trust', ttl: dice.pick([300, 1000, 60_000, 60_000]), maxEntries: dice.pick([1, 100, 100]) }
}

function policyOptions(dice: Dice, calm: boolean): CallOptions {
  const soft = dice.pick([undefined, undefined, 40])
  return {
    ttl: dice.pick([60, 150, 400, 1500]),
    jitter: dice.pick([0, 0.1]),
    refresh: dice.pick<RefreshOptions>([
      false,
      'xfetch',
      { strategy: 'xfetch', beta: 4 },
      { strategy: 'window', window: 60, probability: 0.7 },
    ]),
    staleWhileRevalidate: dice.pick([0, 0, 200, 1000]),
    staleIfError: dice.pick([0, 0, 1500]),
    timeout: { ...(soft === undefined ? {} : { soft }), hard: dice.pick([150, 400, 900]) },
    errorCooldown: dice.pick([0, 0, 150]),
    lease: dice.pick(calm ? [200, 400, 1000] : [100, 200, 400, 1000]),
  }
}

/** Where a schedule takes place. */
export interface Room {
  readonly dice: Dice
  readonly calm: boolean
  readonly processes: number
  readonly keys: readonly string[]
  readonly versions: readonly number[]
  readonly endsAt: number
  /** Whether processes keep copies, and whether for longer than a silent bus is trusted. */
  readonly copies: 'none' | 'some' | 'long'
}

const weights = {
  getOrSet: 66,
  get: 6,
  getMany: 3,
  getEntry: 2,
  has: 2,
  set: 6,
  delete: 7,
  expire: 4,
  deleteAll: 1,
  invalidateTags: 8,
  clear: 2,
}

/** What copies live for: more reads of what is there. */
const copyWeights = { getOrSet: 90, delete: 5, deleteAll: 0, invalidateTags: 5, clear: 1 }

/** None, as a rule, or at least `least`. */
function someTags(dice: Dice, least = 0): string[] {
  const count = Math.max(least, dice.pick([0, 0, 1, 1, 2]))
  return Array.from({ length: count }, () => dice.pick(allTags))
}

function makeOps({ dice, calm, processes, keys, versions, endsAt, copies }: Room): Op[] {
  const bursts = Array.from({ length: dice.whole(3, 8) }, () => dice.between(0, endsAt))
  const spreadMs = dice.pick([10, 40, 120])
  const calls: Op[] = Array.from({ length: dice.whole(42, 66) }, (_, id) => {
    const at = dice.chance(0.75) ? dice.pick(bursts) + dice.between(0, spreadMs) : dice.between(0, endsAt)
    const base = { id, at, process: dice.whole(0, processes - 1), key: dice.pick(keys), version: dice.pick(versions) }
    const kind = dice.weighted({
      ...weights,
      ...(copies === 'none' ? {} : copyWeights),
      ...(calm && dice.chance(0.5) ? { invalidateTags: 0, clear: 0 } : {}),
    })
    if (kind === 'invalidateTags') return { ...base, kind, key: '', tags: someTags(dice, 1) } satisfies TagsOp
    if (kind === 'clear') return { ...base, kind, key: '' } satisfies PlainOp
    if (kind === 'getOrSet') return getOrSet(dice, calm, base, keys)
    if (kind === 'set')
      return {
        ...base,
        kind,
        options: { ...setOptions(dice), tags: someTags(dice) },
        tooLarge: dice.chance(0.03),
      } satisfies SetOp
    return { ...base, kind } satisfies PlainOp
  })
  // In the end everyone looks at what is left.
  const looks: Op[] = Array.from({ length: lastLooks }, (_, index) => {
    const at = endsAt + dice.between(spreadMs, 400)
    return {
      id: calls.length + index,
      at,
      process: index % processes,
      key: dice.pick(keys),
      version: dice.pick(versions),
      kind: 'get',
    }
  })
  return [...calls, ...looks].toSorted((a, b) => a.at - b.at)
}

function getOrSet(dice: Dice, calm: boolean, base: Omit<PlainOp, 'kind'>, keys: readonly string[]): GetOrSetOp {
  const options: CallOptions = {
    ...(dice.chance(0.3) ? policyOptions(dice, calm) : {}),
    ...(dice.chance(0.08) ? { forceFresh: true } : {}),
    tags: someTags(dice),
  }
  const abortAfterMs = dice.chance(0.07) ? dice.between(0, 150) : undefined
  return { ...base, kind: 'getOrSet', options, abortAfterMs, loader: makeLoader(dice, base.key, keys) }
}

function setOptions(dice: Dice): SetOptions {
  return { ttl: dice.pick([60, 400, 1500]), staleIfError: dice.pick([0, 500]) }
}

function makeLoader(dice: Dice, key: string, keys: readonly string[]): LoaderPlan {
  const later = keys.filter(other => other > key)
  return {
    kind: dice.weighted({
      value: 66,
      fails: 9,
      'throws-undefined': 1,
      nothing: 4,
      skips: 3,
      hangs: 3,
      'not-modified': 6,
      'sets-ttl': 2,
      'too-large': 1.5,
      unserializable: 1,
      nested: later.length === 0 ? 0 : 3,
      recursive: 0.5,
    }),
    takesMs: dice.pick([0, dice.between(1, 30), dice.between(20, 150), dice.between(100, 700)]),
    readsAt: dice.pick([0, 0, 0.5, 1]),
    ignoresSignal: dice.chance(0.5),
    ttlMs: dice.pick([40, 800]),
    addsTags: dice.chance(0.3) ? someTags(dice, 1) : [],
    asks: later.length === 0 ? key : dice.pick(later),
  }
}
