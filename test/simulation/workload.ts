import type { CachedEntry, CallOptions, WriteOutcome } from '../../src/index.ts'
import { answerSettled, presenceTold } from './answer-rules.ts'
import { callSettled } from './call-rules.ts'
import type { CallRecord, Invalidation, Payload } from './history.ts'
import { loaderOf, tooLongText } from './loaders.ts'
import type { GetOrSetOp, Op, SetOp } from './plan.ts'
import type { SimulatedProcess } from './process.ts'
import type { World } from './world.ts'
import { callerLeft } from './test-errors.ts'
import { largeText } from './texts.ts'
import { show } from './timeline.ts'

/** Does one operation of the plan in the process that it names. */
export function perform(process: SimulatedProcess, op: Op): void {
  const { key, version } = op
  // Whatever happens, the copies that are answered are looked at.
  if (process.copies !== undefined && !process.closing) for (const each of process.world.keys) peek(process, each)
  switch (op.kind) {
    case 'getOrSet':
      void getOrSet(process, op).catch(() => undefined)
      return
    case 'set':
      return set(process, op)
    case 'get':
      return read(process, op, () => process.cache.get(key, { version }))
    case 'getMany':
      return readMany(process, version)
    case 'getEntry':
      return read(process, op, () => process.cache.getEntry(key, { version }))
    case 'has':
      return read(process, op, () => process.cache.has(key, { version }))
    case 'delete':
      return invalidate(process, 'delete', [key], version, () => process.cache.delete(key, { version }))
    case 'deleteAll': {
      const { keys } = process.world
      return invalidate(process, 'delete', keys, version, () => process.cache.delete(keys, { version }))
    }
    case 'invalidateTags':
      return invalidateBroadly(process, 'invalidateTags', op.tags, () => process.cache.invalidateTags(op.tags))
    case 'clear':
      return invalidateBroadly(process, 'clear', [], () => process.cache.clear())
    case 'expire':
      return invalidate(process, 'expire', [key], version, () => process.cache.expire(key, { version }))
  }
}

/** Settles as the cache's own promise does, once the rules have looked at it. Never, if the process dies. */
function getOrSet(process: SimulatedProcess, op: GetOrSetOp): Promise<unknown> {
  const { world, cache } = process
  const { key, version, abortAfterMs } = op
  const controller = abortAfterMs === undefined ? undefined : new AbortController()
  if (controller !== undefined) world.scheduler.after(abortAfterMs ?? 0, () => controller.abort(callerLeft), process)
  const startedAt = process.clock.tick()
  const call = begin(process, 'getOrSet', key, version, { ...process.plan.options, ...op.options }, controller !== undefined)
  process.callsByStart.set(startedAt, call)
  const signal = controller === undefined ? {} : { signal: controller.signal }
  const promise = cache.getOrSet(key, loaderOf(process, op, getOrSet), { ...op.options, version, ...signal })
  return follow(process, call, promise, value => answerSettled(process, call, value as Payload | undefined, false))
}

function set(process: SimulatedProcess, op: SetOp): void {
  const { world, cache } = process
  const { key, version, options, tooLarge } = op
  const { history } = world
  history.changeSource(key)
  const birth = history.bear({
    from: 'set',
    process: process.name,
    key,
    version,
    began: world.now,
    bornSeq: Infinity,
    tags: options.tags ?? [],
    text: tooLarge ? tooLongText(process) : world.plan.large ? largeText : undefined,
  })
  const call = begin(process, 'set', key, version, options)
  const invalidation = beginInvalidation(process, 'set', key, version)
  const settled = (): void => {
    birth.bornSeq = world.nextSeq()
    birth.freshUntil = Math.max(birth.confirmedUntil, world.now + Number(options.ttl))
  }
  const promise = cache.set(key, birth.payload, { ...options, version }).finally(settled)
  void follow(process, call, promise, outcome => {
    acknowledged(world, invalidation, outcome)
  }).catch(() => undefined)
}

/** What the copy in the process says at once, if it is of the cache's own version. */
function peek(process: SimulatedProcess, key: string): void {
  const value = process.cache.peek<Payload>(key)
  if (value === undefined) return
  const call = begin(process, 'peek', key, 0, process.plan.options)
  call.answer = 'hit local'
  process.settled(call)
  process.world.coverage.count('peek copy')
  answerSettled(process, call, value, false)
}

function read(process: SimulatedProcess, op: Op, ask: () => Promise<unknown>): void {
  const kind = op.kind as 'get' | 'getEntry' | 'has'
  const call = begin(process, kind, op.key, op.version, process.plan.options)
  // A copy answers at once.
  process.lookingUp = [call]
  const asked = ask()
  process.lookingUp = []
  void follow(process, call, asked, answer => {
    if (answer === undefined || answer === false) return
    if (kind === 'has') return presenceTold(process, call)
    if (kind === 'get') return answerSettled(process, call, answer as Payload, false)
    const { value, fresh } = answer as CachedEntry<Payload>
    answerSettled(process, call, value, !fresh)
  }).catch(() => undefined)
}

function readMany(process: SimulatedProcess, version: number): void {
  const { keys } = process.world
  const calls = keys.map(key => begin(process, 'getMany', key, version, process.plan.options))
  process.lookingUp = calls
  const asked = process.cache.getMany<Payload>(keys, { version })
  process.lookingUp = []
  for (const [nth, call] of calls.entries()) {
    void follow(process, call, asked, answers => {
      if (answers[nth] !== undefined) answerSettled(process, call, answers[nth], false)
    }).catch(() => undefined)
  }
}

function invalidate(
  process: SimulatedProcess,
  kind: 'delete' | 'expire',
  keys: readonly string[],
  version: number,
  act: () => Promise<unknown>,
): void {
  const { world } = process
  for (const key of keys) world.history.changeSource(key)
  const call = begin(process, kind, keys[0] as string, version, process.plan.options)
  const invalidations = keys.map(key => beginInvalidation(process, kind, key, version))
  void follow(process, call, act(), outcome => {
    // What was acknowledged of one key before a restart has undone it is not told again before its process knows.
    const isTorn = invalidations.some(({ beganSeq }) => beganSeq < world.restoredSeq) && keys.length > 1
    for (const invalidation of invalidations) acknowledged(world, invalidation, isTorn ? 'deferred' : outcome)
  }).catch(() => undefined)
}

function invalidateBroadly(
  process: SimulatedProcess,
  kind: 'invalidateTags' | 'clear',
  tags: readonly string[],
  act: () => Promise<WriteOutcome>,
): void {
  const { world } = process
  for (const key of world.keys) world.history.changeSource(key)
  const call = begin(process, kind, '', 0, process.plan.options)
  const invalidation = beginInvalidation(process, kind === 'clear' ? kind : 'tags', '', 0, tags)
  void follow(process, call, act(), outcome => acknowledged(world, invalidation, outcome)).catch(() => undefined)
}

function beginInvalidation(
  process: SimulatedProcess,
  kind: Invalidation['kind'],
  key: string,
  version: number,
  tags: readonly string[] = [],
): Invalidation {
  const { history } = process.world
  const beganSeq = process.world.nextSeq()
  const invalidation: Invalidation = {
    kind,
    tags,
    process: process.name,
    key,
    version,
    beganSeq,
    resolvedSeq: Infinity,
    everywhereSeq: Infinity,
    everywhereAt: Infinity,
  }
  history.invalidations.push(invalidation)
  return invalidation
}

function acknowledged(world: World, invalidation: Invalidation, outcome: unknown): void {
  invalidation.resolvedSeq = world.nextSeq()
  if (outcome === 'deferred') return
  invalidation.everywhereSeq = invalidation.resolvedSeq
  invalidation.everywhereAt = world.now
}

function begin(
  process: SimulatedProcess,
  kind: CallRecord['kind'],
  key: string,
  version: number,
  options: CallOptions,
  aborts = false,
): CallRecord {
  const { world, name, pausedMs } = process
  const { calls } = world.history
  const call: CallRecord = {
    nth: calls.length,
    process: name,
    kind,
    key,
    version,
    options,
    beganSeq: world.nextSeq(),
    beganAt: world.now,
    pausedBeforeMs: pausedMs,
    aborts,
    timeSource: process.link.timeSource,
    knew: process.copies?.knowledge,
    answer: undefined,
    settled: false,
  }
  calls.push(call)
  process.began(call)
  world.note(name, () => `call ${call.nth}: ${kind} ${version}:${key} ${kind === 'getOrSet' ? show(options) : ''}`)
  return call
}

export function close(process: SimulatedProcess): void {
  process.closing = true
  const call = begin(process, 'close', '', 0, process.plan.options)
  void follow(process, call, process.cache.close(), () => (process.closed = true)).catch(() => undefined)
}

function follow<Value>(
  process: SimulatedProcess,
  call: CallRecord,
  promise: Promise<Value>,
  check: (value: Value) => void,
): Promise<Value> {
  const { world } = process
  const settle = (what: string, value: unknown): boolean => {
    if (world.over || process.state === 'dead') return false
    process.settled(call)
    world.note(process.name, () => `call ${call.nth} ${what} ${show(value)}`)
    world.remember(call.nth * 2 + (what === 'resolved' ? 1 : 0))
    return true
  }
  return promise.then(
    value => {
      if (!settle('resolved', value)) return value
      callSettled(process, call, undefined)
      check(value)
      return value
    },
    (error: unknown) => {
      if (settle('rejected', error)) callSettled(process, call, { error })
      throw error
    },
  )
}
