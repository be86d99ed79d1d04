import { notModified } from '../flights/load-attempt.ts'
import type { LoaderContext } from '../flights/loader-context.ts'
import type { Duration } from '../options/options.ts'
import type { ResolvedDefinition } from './resolve-definition.ts'

/** A loader's context that remembers whether the loader set the ttl itself, which goes before what the definition says. */
export class WatchedContext {
  readonly context: LoaderContext
  ttlSet: boolean

  /** @param ttlSet The call was given a ttl. */
  constructor(context: LoaderContext, ttlSet: boolean) {
    this.ttlSet = ttlSet
    this.context = Object.create(context, {
      setTtl: {
        value: (ttl: Duration) => {
          context.setTtl(ttl)
          this.ttlSet = true
        },
      },
    }) as LoaderContext
  }
}

type ValueRules = Pick<ResolvedDefinition, 'ttlOf' | 'nullTtlMs' | 'tagsOf' | 'shouldCache'>

/** Applies to a loaded value what the definition says of values, and hands it on. */
export function applyValuePolicy(
  rules: ValueRules,
  { context, ttlSet }: WatchedContext,
  loaded: unknown,
  params: unknown,
): unknown {
  if (loaded === undefined || loaded instanceof Error) return loaded
  const value = loaded === notModified ? context.stale?.value : loaded
  const { key } = context
  if (!ttlSet) {
    const ttlMs = ttlFor(rules, key, value, params)
    if (ttlMs !== undefined) context.setTtl(ttlMs)
  }
  if (rules.tagsOf !== undefined) context.tags.add(...rules.tagsOf(key, params, value))
  if (rules.shouldCache?.(key, value, params) === false) context.skip()
  return loaded
}

/** How long a value is fresh by the definition's own rules, in ms; undefined: as the policy says. */
export function ttlFor(
  { ttlOf, nullTtlMs }: Pick<ValueRules, 'ttlOf' | 'nullTtlMs'>,
  key: string,
  value: unknown,
  params: unknown,
): number | undefined {
  if (value === null && nullTtlMs !== undefined) return nullTtlMs
  return ttlOf?.(key, value, params)
}
