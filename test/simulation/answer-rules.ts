import { brokenByCopy, countBehind } from './copy-rules.ts'
import type { Birth, CallRecord, Invalidation, Payload } from './history.ts'
import { longestSampleMs } from './link-time.ts'
import type { SimulatedProcess } from './process.ts'
import type { Violation, World } from './world.ts'

/** Looks at the value that a call was answered with: is it one that was stored, and may this call have it? */
export function answerSettled(process: SimulatedProcess, call: CallRecord, value: Payload | undefined, isStale: boolean): void {
  const { world } = process
  if (call.kind === 'getOrSet' && call.answer === undefined) {
    return world.violate('status records', `call ${call.nth} was answered and no record says how`)
  }
  if (value === undefined) return checkNothing(process, call)
  const birth = world.history.births[value.birth]
  if (birth === undefined || !sameValue(birth.payload, value) || value.key !== call.key || value.version !== call.version) {
    return world.violate(
      'P7',
      `call ${call.nth} for ${call.key} was given ${JSON.stringify(value).slice(0, 120)}, which nobody stored there`,
    )
  }
  const broken = forbids(process, call, birth, isStale)
  if (broken !== undefined) return world.violate(broken.rule, broken.text)
  if (isKept(call) && couldOnlyBeCopied(process, birth)) world.coverage.count('suspect copy')
  if (call.answer === 'hit local') countBehind(process, call, revokers(world, call, birth))
}

/** `has` does not say of which value it speaks. There must be one that it may speak of. */
export function presenceTold(process: SimulatedProcess, call: CallRecord): void {
  const { world } = process
  const some = world.history.births.some(
    birth => birth.payload.key === call.key && birth.payload.version === call.version && !forbids(process, call, birth, false),
  )
  if (some) return world.coverage.count('has true of a value that may be answered')
  world.violate(
    'P2',
    `call ${call.nth} of ${process.name}: has ${call.key} was true though every value of it is revoked or stale`,
  )
}

/** Why the call may not be answered with that value. */
function forbids(process: SimulatedProcess, call: CallRecord, birth: Birth, isStale: boolean): Violation | undefined {
  const { world } = process
  const stale = isStale || call.answer?.startsWith('stale') === true
  const kept = isKept(call)
  const own = kept || (call.answer === 'miss unleased' && birth.outage && !isForced(call))
  const isCopy = call.answer === 'hit local'
  const delayed = isDelayed(world, birth)
  const revoked = revokers(world, call, birth)
  const isSuspect = kept && couldOnlyBeCopied(process, birth)
  if ((isCopy || isSuspect) && !delayed) {
    const told = process.copies?.brokenByTold(call, birth.bornSeq, tagsOf(call, birth))
    if (told !== undefined) return told
  }
  if (isCopy) {
    const behind = brokenByCopy(process, call, revoked)
    if (behind !== undefined) return behind
  }
  for (const invalidation of isCopy ? [] : revoked) {
    // An expired value may still stand in, marked as stale. Without the store a process knows of its own invalidations alone.
    if (stale && !kept && invalidation.kind === 'expire') continue
    if (own && invalidation.process !== process.name) continue
    return { rule: 'P2', text: resurrected(call, invalidation, birth.payload) }
  }
  if (isForced(call) && call.answer?.startsWith('miss') === true && birth.bornSeq < call.beganSeq && !delayed) {
    const text = `call ${call.nth} forced a load and was given value ${birth.payload.birth}, loaded before`
    return { rule: 'forceFresh', text }
  }
  return brokenByAge(world, call, birth.freshUntil, stale)
}

/** The invalidations that this value had to respect when the call began. */
function revokers(world: World, call: CallRecord, birth: Birth): readonly Invalidation[] {
  if (isDelayed(world, birth)) return []
  const tags = tagsOf(call, birth)
  return world.history.invalidations.filter(each => revokes(each, call, tags) && each.beganSeq > birth.bornSeq)
}

/** Who is answered by a copy may name tags that the value does not have. */
function tagsOf({ answer, options }: CallRecord, { tags }: Birth): readonly string[] {
  return answer === 'hit local' ? [...tags, ...(options.tags ?? [])] : tags
}

/** A deadline in server time says nothing once that time was set back: a delayed put may then be accepted. */
function isDelayed({ server }: World, { from }: Birth): boolean {
  return server.clockSteppedBack && from === 'set'
}

/** Answered by what its process keeps for the time without the store. */
function isKept({ answer }: CallRecord): boolean {
  return answer === 'miss kept' || answer === 'stale store-failed'
}

/** In an outage, another process's value can only come from the local tier. */
function couldOnlyBeCopied({ name }: SimulatedProcess, birth: Birth): boolean {
  return birth.process !== name && !birth.confirmedBy.has(name) && !birth.outage
}

/** Answers that are fresh by the store's word, the copies of such ones included. */
const fresh: ReadonlySet<string> = new Set(['hit', 'hit local', 'miss waited'])

/** A fresh answer is within its ttl by the server's clock; the estimate of that clock is off by a round trip at most. */
function brokenByAge(world: World, call: CallRecord, freshUntil: number, stale: boolean): Violation | undefined {
  if (stale || world.server.clockStepped || freshUntil === Infinity) return undefined
  if (call.answer !== undefined && !fresh.has(call.answer)) return undefined
  const overMs = call.beganAt - freshUntil
  if (overMs <= longestSampleMs + 2) return undefined
  const text = `call ${call.nth} for ${call.key} was given for fresh what had been stale for ${overMs.toFixed(0)} ms`
  return { rule: 'P8', text }
}

/** `undefined` does not say which load it is from. One that could have answered this call must have ended so. */
function checkNothing({ world, name }: SimulatedProcess, call: CallRecord): void {
  if (call.kind !== 'getOrSet') return
  const own = call.answer === 'miss unleased' && !isForced(call)
  const newest = (tags: readonly string[]): number => {
    const revoked = world.history.invalidations.filter(
      invalidation => revokes(invalidation, call, tags) && !(own && invalidation.process !== name),
    )
    return Math.max(0, ...revoked.map(invalidation => invalidation.beganSeq), isForced(call) ? call.beganSeq : 0)
  }
  const found = world.history.loads.some(
    load =>
      load.outcome === 'nothing' &&
      load.process === name &&
      load.key === call.key &&
      load.version === call.version &&
      load.beganSeq > newest(load.tags),
  )
  if (!found) world.violate('P2', `call ${call.nth} for ${call.key} was answered with nothing, by no load that began late enough`)
}

/**
 * Held in its process before the call began. The process that asked for it knows of it although it was deferred, or a restart has undone it: what the store says is
 * not believed before it has been told. Others are bound once it has.
 */
function revokes(invalidation: Invalidation, call: CallRecord, tags: readonly string[]): boolean {
  const heldSeq = invalidation.process === call.process ? invalidation.resolvedSeq : invalidation.everywhereSeq
  return heldSeq < call.beganSeq && reaches(invalidation, call, tags)
}

/** Invalidations of a key reach the neighbouring versions. */
function reaches(invalidation: Invalidation, call: CallRecord, tags: readonly string[]): boolean {
  switch (invalidation.kind) {
    case 'clear':
      return true
    case 'tags':
      return invalidation.tags.some(tag => tags.includes(tag))
    default:
      return invalidation.key === call.key && Math.abs(invalidation.version - call.version) <= 1
  }
}

function isForced({ options }: CallRecord): boolean {
  return options.forceFresh === true
}

function sameValue(a: Payload, b: Payload): boolean {
  return a.key === b.key && a.version === b.version && a.began === b.began && a.source === b.source && a.text === b.text
}

function resurrected(call: CallRecord, invalidation: Invalidation, value: Payload): string {
  const who = `call ${call.nth} of ${call.process} for ${call.version}:${call.key} (${call.answer ?? call.kind})`
  return `${who} was given value ${value.birth}, begun at ${value.began.toFixed(1)} before the ${invalidation.kind} of ${invalidation.process} that had resolved`
}
