import { checkDuration, checkInteger, checkNames, checkNumber, checkObject, checkOneOf, hasMethods } from './check-option.ts'
import { systemClock, systemRandom } from '../clock.ts'
import { formatDuration } from './duration.ts'
import { invalidOption } from './invalid-option.ts'
import { allowedFor, cacheOptionNames, defaults, type DurationOption, type IntegerOption } from './option-table.ts'
import type { CacheOptions, Compression, EngineOptions, EntryCodecOptions, Policy, Serializer } from './options.ts'
import type { Clock, Random, StoreProvider } from '../ports.ts'
import { rememberedValues, resolveLocal } from './resolve-local.ts'
import { applyPolicyOption, checkTimeoutOrder, defaultPolicy } from './resolve-policy.ts'

export { resolveCallOptions } from './resolve-policy.ts'

/** {@link CacheOptions}, checked, with every default in place. */
export interface ResolvedOptions {
  readonly engine: EngineOptions
  readonly codec: EntryCodecOptions
  /** Undefined: the embedded store. */
  readonly store: StoreProvider | undefined
  readonly clock: Clock
  readonly random: Random
}

const namespacePattern = /^[A-Za-z0-9_.-]{1,64}$/
/** The id that `lz4()` of `leasehold/lz4` carries. */
const lz4Id = 2

/**
 * Checks what `createCache` was given.
 *
 * @throws LeaseholdError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function resolveCacheOptions(options: CacheOptions): ResolvedOptions {
  const given = checkObject('options', options, 'an object with at least a namespace')
  checkNames(given, cacheOptionNames)
  const namespace = checkNamespace(given['namespace'])
  const values = given['values'] === undefined ? 'copy' : checkOneOf('values', given['values'], ['copy', 'freeze'] as const)
  const local = resolveLocal(given['local'], values)
  return {
    engine: {
      namespace,
      policy: resolveCachePolicy(options),
      ...resolveBudgets(given),
      outageTtlMs: durationOr(given, 'outageTtl', defaults.outageTtlMs),
      maxConcurrentLoads: integerOr(given, 'maxConcurrentLoads', defaults.maxConcurrentLoads),
      rollout: given['rollout'] === undefined ? 1 : checkNumber('rollout', given['rollout']),
      enabled: checkSwitch(given['enabled']),
      shadow: given['shadow'] === undefined ? 0 : checkNumber('shadow', given['shadow']),
      maxRefreshes: integerOr(given, 'maxRefreshes', defaults.maxRefreshes),
      maxKeyBytes: integerOr(given, 'maxKeyBytes', defaults.maxKeyBytes),
      closeTimeoutMs: durationOr(given, 'closeTimeout', defaults.closeTimeoutMs),
      local,
    },
    codec: {
      namespace,
      values,
      codec: checkSerializer(given['codec']),
      compression: checkCompression(given['compression']),
      compressAbove: integerOr(given, 'compressAbove', defaults.compressAbove),
      maxValueBytes: integerOr(given, 'maxValueBytes', defaults.maxValueBytes),
      remembered: rememberedValues(local),
      headersAlone: local.mode === 'validate',
    },
    store: checkStore(given['store']),
    clock: checkMethods<Clock>('clock', given['clock'], ['now', 'wallNow', 'setTimeout', 'clearTimeout', 'unref']) ?? systemClock,
    random: checkMethods<Random>('random', given['random'], ['next', 'token']) ?? systemRandom,
  }
}

function resolveCachePolicy(options: CacheOptions): Policy {
  const policy = { ...defaultPolicy }
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) applyPolicyOption(policy, name, value)
  }
  checkTimeoutOrder(policy, options)
  return policy
}

/** As many as the defaults leave room for: a read, an acquire, and half of a commit. */
const commandsPerBudget = defaults.storeBudgetMs / defaults.commandTimeoutMs

/** A command never outlasts its call's budget: whichever is given bends the default of the other. */
function resolveBudgets(given: Readonly<Record<string, unknown>>): { commandTimeoutMs: number; storeBudgetMs: number } {
  const { commandTimeout, storeBudget } = given
  if (storeBudget === undefined) {
    const commandTimeoutMs = durationOr(given, 'commandTimeout', defaults.commandTimeoutMs)
    return { commandTimeoutMs, storeBudgetMs: Math.max(defaults.storeBudgetMs, commandTimeoutMs * commandsPerBudget) }
  }
  const storeBudgetMs = checkDuration('storeBudget', storeBudget)
  const commandTimeoutMs = durationOr(given, 'commandTimeout', Math.min(defaults.commandTimeoutMs, storeBudgetMs))
  if (commandTimeoutMs > storeBudgetMs) {
    throw invalidOption('commandTimeout', commandTimeout, `at most storeBudget, which is ${formatDuration(storeBudgetMs)}`)
  }
  return { commandTimeoutMs, storeBudgetMs }
}

function durationOr(given: Readonly<Record<string, unknown>>, option: DurationOption, fallback: number): number {
  return given[option] === undefined ? fallback : checkDuration(option, given[option])
}

function integerOr(given: Readonly<Record<string, unknown>>, option: IntegerOption, fallback: number): number {
  return given[option] === undefined ? fallback : checkInteger(option, given[option])
}

function checkSwitch(value: unknown): EngineOptions['enabled'] {
  if (value === undefined || typeof value === 'function') return value as EngineOptions['enabled']
  throw invalidOption('enabled', value, allowedFor('enabled'))
}

function checkNamespace(value: unknown): string {
  if (typeof value === 'string' && namespacePattern.test(value)) return value
  throw invalidOption('namespace', value, allowedFor('namespace'))
}

/** The options of a cache over a sub-namespace. @throws LeaseholdError `INVALID_OPTION` */
export function withSubNamespace(options: ResolvedOptions, name: unknown): ResolvedOptions {
  const namespace = `${options.engine.namespace}.${String(name)}`
  if (typeof name !== 'string' || name === '' || !namespacePattern.test(namespace)) {
    throw invalidOption(
      'namespace',
      name,
      `characters A-Z a-z 0-9 _ . -, at most 64 together with "${options.engine.namespace}."`,
    )
  }
  return { ...options, engine: { ...options.engine, namespace }, codec: { ...options.codec, namespace } }
}

function checkStore(value: unknown): StoreProvider | undefined {
  if (value === undefined) return undefined
  if (hasMethods(value, 'open') && typeof (value as StoreProvider).kind === 'string') return value as StoreProvider
  throw invalidOption('store', value, allowedFor('store'))
}

function checkSerializer(value: unknown): EntryCodecOptions['codec'] {
  if (value === undefined) return 'msgpack'
  if (value === 'msgpack' || value === 'json') return value
  if (hasMethods(value, 'serialize', 'deserialize') && hasIdentity(value)) return value as Serializer
  throw invalidOption('codec', value, allowedFor('codec'))
}

function checkCompression(value: unknown): EntryCodecOptions['compression'] {
  if (value === undefined) return 'deflate'
  if (value === 'deflate' || value === false) return value
  if (hasMethods(value, 'compress', 'decompress') && (hasIdentity(value) || isLz4(value))) return value as Compression
  throw invalidOption('compression', value, allowedFor('compression'))
}

function isLz4(value: unknown): boolean {
  const { id, name } = value as { id?: unknown; name?: unknown }
  return id === lz4Id && name === 'lz4'
}

/** A name, and an id of the range that is kept free for users. */
function hasIdentity(value: unknown): boolean {
  const { id, name } = value as { id?: unknown; name?: unknown }
  return typeof name === 'string' && name !== '' && Number.isInteger(id) && (id as number) >= 128 && (id as number) <= 255
}

function checkMethods<Port>(option: string, value: unknown, methods: readonly string[]): Port | undefined {
  if (value === undefined) return undefined
  if (hasMethods(value, ...methods)) return value as Port
  throw invalidOption(option, value, allowedFor(option))
}
