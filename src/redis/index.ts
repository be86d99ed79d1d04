import { checkNames, checkObject } from '../core/options/check-option.ts'
import { invalidOption } from '../core/options/invalid-option.ts'
import type { Store, StoreContext, StoreProvider } from '../core/ports.ts'
import { Connections } from './connections.ts'
import { type BreakerOptions, type BreakerSettings, resolveBreaker } from './breaker-options.ts'
import { RedisStore } from './redis-store.ts'
import { type RedisTarget, resolveTarget } from './target.ts'

export type { BreakerOptions } from './breaker-options.ts'
export type { BreakerWindow } from './rolling-window.ts'
export type { RedisTarget } from './target.ts'

export interface RedisStoreOptions {
  /** When reads and loads are kept away from a server that fails or is slow. False: never. */
  readonly breaker?: BreakerOptions | false
}

/**
 * A store in Redis 7.0 or later, or Valkey.
 *
 * @param target A `redis://` or `rediss://` URL (text, or a `URL`), an ioredis `Redis` or `Cluster` client, or ioredis options. A
 * client is duplicated with Leasehold's own settings, and neither changed nor closed; its key prefix and database apply. Default:
 * `redis://127.0.0.1:6379`.
 * @param options How it is guarded.
 * @returns What `createCache({ store })` takes. Caches that are given the same one share its connections, which are made when the
 * first of them is created and closed with the last.
 * @throws LeaseholdError `INVALID_OPTION` for anything else. It repeats no part of a URL. Nothing is sent yet: a server that cannot
 * be reached, refuses the password or is too old shows in the calls, the `connection` event and one process warning.
 */
export function redisStore(target?: RedisTarget, options: RedisStoreOptions = {}): StoreProvider {
  const resolved = resolveTarget(target)
  const { breaker } = resolveStoreOptions(options)
  const warned = new Set<string>()
  let shared: Connections | undefined
  return {
    kind: 'redis',
    open(context: StoreContext): Store {
      if (context.changes !== undefined && resolved.kind === 'cluster') {
        throw invalidOption('local.mode', 'trust', "'off' on a Redis Cluster, whose servers do not tell of changes in one order")
      }
      if (shared === undefined || shared.empty) shared = new Connections(resolved, context.namespace, warned, breaker)
      return new RedisStore(shared, resolved, context)
    },
  }
}

const optionNames: ReadonlySet<string> = new Set<keyof RedisStoreOptions>(['breaker'])

function resolveStoreOptions(options: RedisStoreOptions): { readonly breaker: BreakerSettings } {
  checkNames(checkObject('store', options, 'an object of options'), optionNames)
  return { breaker: resolveBreaker(options.breaker) }
}
