import { checkCopy } from './copy-rules.ts'
import type { Birth, CallRecord, Invalidation, Payload } from './history.ts'
import { longestSampleMs } from './link-time.ts'
import type { SimulatedProcess } from './process.ts'
import type { World } from './world.ts'

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
  const stale = isStale || call.answer?.startsWith('stale') === true
  const kept = call.answer === 'miss kept' || call.answer === 'stale store-failed'
  const own = kept || (call.answer === 'miss unleased' && birth.outage && !isForced(call))
  const isCopy = call.answer === 'hit local'
  // Who is answered by a copy may name tags that the value does not have.
  const tags = isCopy ? [...birth.tags, ...(call.options.tags ?? [])] : birth.tags
  // A deadline in server time says nothing once that time was set back: a delayed put may then be accepted.
  const delayed = world.server.clockSteppedBack && birth.from === 'set'
  const revoked = delayed
    ? []
    : world.history.invalidations.filter(each => revokes(each, call, tags) && each.beganSeq > birth.bornSeq)
  const isSuspect = kept && couldOnlyBeCopied(process, birth)
  if (isSuspect) world.coverage.count('suspect copy')
  if ((isCopy || isSuspect) && !delayed) process.copies?.checkTold(call, birth.bornSeq, tags)
  if (isCopy) checkCopy(process, call, revoked)
  for (const invalidation of isCopy ? [] : revoked) {
    // An expired value may still stand in, marked as stale. Without the store a process knows of its own invalidations alone.
    if (stale && !kept && invalidation.kind === 'expire') continue
    if (own && invalidation.process !== process.name) continue
    return world.violate('P2', resurrected(call, invalidation, value))
  }
  if (isForced(call) && call.answer?.startsWith('miss') === true && birth.bornSeq < call.beganSeq && !delayed) {
    world.violate('forceFresh', `call ${call.nth} forced a load and was given value ${value.birth}, loaded before`)
  }
  checkFreshness(world, call, birth.freshUntil, stale)
}

/** In an outage, another process's value can only come from the local tier. */
function couldOnlyBeCopied({ name }: SimulatedProcess, birth: Birth): boolean {
  return birth.process !== name && !birth.confirmedBy.has(name) && !birth.outage
}

/** Answers that are fresh by the store's word, the copies of such ones included. */
const fresh: ReadonlySet<string> = new Set(['hit', 'hit local', 'miss waited'])

/** A fresh answer is within its ttl by the server's clock; the estimate of that clock is off by a round trip at most. */
function checkFreshness(world: World, call: CallRecord, freshUntil: number, stale: boolean): void {
  if (stale || world.server.clockStepped || freshUntil === Infinity) return
  if (call.answer !== undefined && !fresh.has(call.answer)) return
  const overMs = call.beganAt - freshUntil
  if (overMs > longestSampleMs + 2) {
    world.violate('P8', `call ${call.nth} for ${call.key} was given for fresh what had been stale for ${overMs.toFixed(0)} ms`)
  }
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

/** Resolved before the call began, and not undone by a restart. */
function revokes(invalidation: Invalidation, call: CallRecord, tags: readonly string[]): boolean {
  if (invalidation.deferred && invalidation.process !== call.process) return false
  if (invalidation.undone || !(invalidation.resolvedSeq < call.beganSeq)) return false
  return reaches(invalidation, call, tags)
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
