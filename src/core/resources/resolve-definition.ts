import { forKey } from '../errors.ts'
import { checkBoolean, checkDuration, checkInteger, checkNames, checkObject } from '../options/check-option.ts'
import { invalidOption } from '../options/invalid-option.ts'
import { allowedFor, defaults, resourceOptionNames } from '../options/option-table.ts'
import type { Policy } from '../options/options.ts'
import { checkTagList, resolveCallOptions } from '../options/resolve-policy.ts'
import type { ResourceDefinition } from './definition.ts'
import { LoadQueue } from './load-queue.ts'
import type { StandardSchema } from './standard-schema.ts'
import { ValueSchema } from './value-schema.ts'

/** A definition whose types the engine does not know. */
export type AnyDefinition = ResourceDefinition<unknown, unknown, unknown, object>

/** A {@link ResourceDefinition}, checked and merged with the cache's options. */
export interface ResolvedDefinition {
  readonly key: AnyDefinition['key']
  readonly load: AnyDefinition['load'] | undefined
  readonly loadMany: AnyDefinition['loadMany'] | undefined
  readonly upgrade: AnyDefinition['upgrade'] | undefined
  readonly policy: Policy
  readonly tenant: boolean
  readonly batch: boolean
  readonly ttlOf: ((key: string, value: unknown, params: unknown) => number) | undefined
  readonly tagsOf: ((key: string, params: unknown, value: unknown) => readonly string[]) | undefined
  readonly shouldCache: ((key: string, value: unknown, params: unknown) => boolean) | undefined
  readonly nullTtlMs: number | undefined
  readonly queue: LoadQueue | undefined
}

/** The options that are not the cache's too. */
const ownNames: ReadonlySet<string> = new Set([
  'key',
  'tenant',
  'load',
  'loadMany',
  'batch',
  'schema',
  'upgrade',
  'nullTtl',
  'shouldCache',
  'maxConcurrentLoads',
  'maxQueuedLoads',
])

/** @throws LeaseholdError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function resolveDefinition(base: Policy, name: string, definition: AnyDefinition): ResolvedDefinition {
  const given = checkObject('definition', definition, 'an object with at least a key and a loader')
  checkNames(given, resourceOptionNames)
  const { key, load, loadMany, upgrade, shouldCache } = definition
  checkFunction('key', key)
  for (const [option, value] of Object.entries({ load, loadMany, upgrade, shouldCache })) {
    if (value !== undefined) checkFunction(option, value)
  }
  if (load === undefined && loadMany === undefined) throw invalidOption('load', load, allowedFor('load'))
  const policy = { ...resolvePolicy(base, definition), resource: name }
  if (upgrade !== undefined && policy.version === 0) throw invalidOption('upgrade', upgrade, allowedFor('upgrade'))
  const batch = definition.batch === undefined ? false : checkBoolean('batch', definition.batch)
  if (batch && loadMany === undefined) throw invalidOption('batch', batch, allowedFor('batch'))
  const { ttl, tags, nullTtl, tenant } = definition
  return {
    key,
    load,
    loadMany,
    upgrade,
    policy,
    batch,
    tenant: tenant === undefined ? false : checkBoolean('tenant', tenant),
    ttlOf: typeof ttl === 'function' ? ruleOf(ttl, result => checkDuration('ttl', result)) : undefined,
    tagsOf: typeof tags === 'function' ? ruleOf(tags, checkTagList) : undefined,
    shouldCache: shouldCache === undefined ? undefined : ruleOf(shouldCache, checkVerdict),
    nullTtlMs: nullTtl === undefined ? undefined : checkDuration('nullTtl', nullTtl),
    queue: resolveQueue(name, definition),
  }
}

/** A function of each value, whose result is checked. */
function ruleOf<Given extends readonly unknown[], Result>(
  rule: (...given: Given) => unknown,
  check: (result: unknown) => Result,
): (key: string, ...given: Given) => Result {
  return (key, ...given) => {
    const result = rule(...given)
    // It is refused. What becomes of it must not end the process.
    if (result instanceof Promise) result.catch(() => {})
    return forKey(key, () => check(result))
  }
}

function checkVerdict(verdict: unknown): boolean {
  if (typeof verdict === 'boolean') return verdict
  throw invalidOption('shouldCache', verdict, 'a function that returns true or false at once')
}

function resolvePolicy(base: Policy, definition: AnyDefinition): Policy {
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(definition)) {
    const isOfEachValue = (name === 'ttl' || name === 'tags') && typeof value === 'function'
    if (!ownNames.has(name) && !isOfEachValue) options[name] = value
  }
  const policy = resolveCallOptions(base, options)
  return definition.schema === undefined ? policy : { ...policy, schema: new ValueSchema(checkSchema(definition.schema)) }
}

function resolveQueue(name: string, { maxConcurrentLoads, maxQueuedLoads }: AnyDefinition): LoadQueue | undefined {
  const mostWaiting = maxQueuedLoads === undefined ? defaults.maxQueuedLoads : checkInteger('maxQueuedLoads', maxQueuedLoads)
  if (maxConcurrentLoads === undefined) return undefined
  return new LoadQueue(name, checkInteger('maxConcurrentLoads', maxConcurrentLoads), mostWaiting)
}

function checkFunction(option: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidOption(option, value, allowedFor(option))
}

function checkSchema(schema: unknown): StandardSchema {
  const isHolder = (typeof schema === 'object' && schema !== null) || typeof schema === 'function'
  const standard = isHolder ? (schema as Partial<StandardSchema>)['~standard'] : undefined
  if (standard?.version === 1 && typeof standard.validate === 'function') return schema as StandardSchema
  throw invalidOption('schema', schema, allowedFor('schema'))
}
