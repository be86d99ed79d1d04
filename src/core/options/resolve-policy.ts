import { checkBoolean, checkDuration, checkInteger, checkNames, checkNumber, checkObject, hasMethods } from './check-option.ts'
import { formatDuration } from './duration.ts'
import { invalidOption, unknownOption } from './invalid-option.ts'
import { allowedFor, callOptionNames, defaults } from './option-table.ts'
import { isTag, mostTags, unionOf } from '../tags/check-tags.ts'
import type { CallOptions, Policy, RefreshPolicy } from './options.ts'

type Draft = { -readonly [Name in keyof Policy]: Policy[Name] }

/** The policy where nothing is said. */
export const defaultPolicy: Policy = {
  ttlMs: defaults.ttlMs,
  jitter: defaults.jitter,
  refresh: { strategy: 'xfetch', beta: defaults.beta },
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  softTimeoutMs: undefined,
  hardTimeoutMs: defaults.hardTimeoutMs,
  errorCooldownMs: 0,
  leaseMs: defaults.leaseMs,
  version: 0,
  tags: [],
  forceFresh: false,
  signal: undefined,
  schema: undefined,
  resource: undefined,
}

/**
 * Merges a call's options over `base`. Without options that is `base` itself. An option that is `undefined` counts as not given.
 *
 * @param allowed The names this kind of call takes. Default: those of `getOrSet`.
 * @throws LeaseholdError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function resolveCallOptions(
  base: Policy,
  options: CallOptions | undefined,
  allowed: ReadonlySet<string> = callOptionNames,
): Policy {
  if (options === undefined) return base
  const given = checkObject('options', options, 'an object')
  const policy: Draft = { ...base }
  for (const name in given) {
    if (!allowed.has(name)) throw unknownOption(name, allowed)
    const value = given[name]
    if (value !== undefined) applyPolicyOption(policy, name, value)
  }
  checkTimeoutOrder(policy, options)
  return policy
}

/** Sets one checked option; a name that is no policy option is left to others. */
export function applyPolicyOption(policy: Draft, name: string, value: unknown): void {
  switch (name) {
    case 'ttl':
      policy.ttlMs = checkDuration(name, value)
      break
    case 'jitter':
      policy.jitter = checkNumber(name, value)
      break
    case 'refresh':
      policy.refresh = resolveRefresh(value)
      break
    case 'staleWhileRevalidate':
      policy.staleWhileRevalidateMs = checkDuration(name, value)
      break
    case 'staleIfError':
      policy.staleIfErrorMs = checkDuration(name, value)
      break
    case 'timeout':
      applyTimeout(policy, value)
      break
    case 'errorCooldown':
      policy.errorCooldownMs = checkDuration(name, value)
      break
    case 'lease':
      policy.leaseMs = checkDuration(name, value)
      break
    case 'version':
      policy.version = checkInteger(name, value)
      break
    case 'tags':
      policy.tags = addTags(policy.tags, value)
      break
    case 'forceFresh':
      policy.forceFresh = checkBoolean(name, value)
      break
    case 'signal':
      policy.signal = checkSignal(value)
  }
}

/** A soft timeout after the hard one could never pass: the error names the one that was given. */
export function checkTimeoutOrder(policy: Policy, given: { readonly timeout?: CallOptions['timeout'] }): void {
  const { softTimeoutMs, hardTimeoutMs } = policy
  if (softTimeoutMs === undefined || softTimeoutMs <= hardTimeoutMs) return
  const soft = given.timeout?.soft
  if (soft !== undefined) {
    throw invalidOption('timeout.soft', soft, `at most timeout.hard, which is ${formatDuration(hardTimeoutMs)}`)
  }
  throw invalidOption('timeout.hard', given.timeout?.hard, `at least timeout.soft, which is ${formatDuration(softTimeoutMs)}`)
}

const timeoutNames: ReadonlySet<string> = new Set(['soft', 'hard'])

function applyTimeout(policy: Draft, value: unknown): void {
  const timeout = checkObject('timeout', value, allowedFor('timeout'))
  checkNames(timeout, timeoutNames, 'timeout.')
  if (timeout['soft'] !== undefined) policy.softTimeoutMs = checkDuration('timeout.soft', timeout['soft'])
  if (timeout['hard'] !== undefined) policy.hardTimeoutMs = checkDuration('timeout.hard', timeout['hard'])
}

const refreshOff: RefreshPolicy = { strategy: 'off' }
const refreshXfetch: RefreshPolicy = { strategy: 'xfetch', beta: defaults.beta }
const xfetchNames: ReadonlySet<string> = new Set(['strategy', 'beta'])
const windowNames: ReadonlySet<string> = new Set(['strategy', 'window', 'probability'])

function resolveRefresh(value: unknown): RefreshPolicy {
  if (value === false) return refreshOff
  if (value === 'xfetch') return refreshXfetch
  const refresh = checkObject('refresh', value, allowedFor('refresh'))
  switch (refresh['strategy']) {
    case 'xfetch': {
      checkNames(refresh, xfetchNames, 'refresh.')
      const beta = refresh['beta']
      return beta === undefined ? refreshXfetch : { strategy: 'xfetch', beta: checkNumber('refresh.beta', beta) }
    }
    case 'window':
      checkNames(refresh, windowNames, 'refresh.')
      return {
        strategy: 'window',
        windowMs: checkDuration('refresh.window', refresh['window']),
        probability: checkNumber('refresh.probability', refresh['probability']),
      }
    default:
      throw invalidOption('refresh.strategy', refresh['strategy'], "'xfetch' or 'window'")
  }
}

/** @throws LeaseholdError `INVALID_OPTION` for anything but a list of tags */
export function checkTagList(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every(isTag)) return value
  throw invalidOption('tags', describeTags(value), allowedFor('tags'))
}

/**
 * Both, each tag once. A new list: the caller's array stays as it is, and what becomes of it later changes nothing.
 *
 * @throws LeaseholdError `INVALID_OPTION`
 */
export function addTags(base: readonly string[], value: unknown): readonly string[] {
  const tags = unionOf(base, checkTagList(value))
  if (tags.length > mostTags) throw invalidOption('tags', `${tags.length} tags`, allowedFor('tags'))
  return tags
}

/** The tag at fault says more than "an array". */
function describeTags(value: unknown): unknown {
  return Array.isArray(value) ? value.find(tag => !isTag(tag)) : value
}

/** @throws LeaseholdError `INVALID_OPTION` */
export function checkSignal(value: unknown): AbortSignal {
  const listens = hasMethods(value, 'addEventListener', 'removeEventListener')
  if (listens && typeof (value as AbortSignal).aborted === 'boolean') return value as AbortSignal
  throw invalidOption('signal', value, allowedFor('signal'))
}
