import { checkNames, checkObject } from '../core/options/check-option.ts'
import { invalidOption } from '../core/options/invalid-option.ts'
import { LeaseholdError } from '../core/errors.ts'
import type { Store, StoreContext, StoreProvider } from '../core/ports.ts'
import { Connections, type ConnectionsOptions } from './connections.ts'
import { type BreakerOptions, resolveBreaker } from './breaker-options.ts'
import type { Credentials } from './credentials.ts'
import { RedisStore } from './redis-store.ts'
import { type RedisTarget, resolveTarget } from './target.ts'

export type { BreakerOptions } from './breaker-options.ts'
export type { Credentials } from './credentials.ts'
export type { BreakerWindow } from './rolling-window.ts'
export type { RedisTarget } from './target.ts'

export interface RedisStoreOptions {
  /** When reads and loads are kept away from a server that fails or is slow. False: never. */
  readonly breaker?: BreakerOptions | false
  /**
   * What to log in with, in place of what the target has: asked before each attempt to connect, for secrets that change. While it fails, or has
   * not answered within 1.5 s, Redis counts as unreachable; it is asked again. Default: the target's user name and password.
   */
  readonly credentials?: () => Credentials | Promise<Credentials>
}

/**
 * A store in Redis 7.0 or later, or Valkey.
 *
 * @param target A `redis://` or `rediss://` URL (text, or a `URL`), an ioredis `Redis` or `Cluster` client, or ioredis options. A
 * client is duplicated with Leasehold's own settings, and neither changed nor closed; its key prefix and database apply. Default:
 * `redis://127.0.0.1:6379`.
 * @param options How it is guarded, and what it logs in with.
 * @returns What `createCache({ store })` takes. Caches that are given the same one share its connections, which are made when the
 * first of them is created and closed with the last.
 * @throws LeaseholdError `INVALID_OPTION` for anything else. It repeats no part of a URL. Nothing is sent yet: a server that cannot
 * be reached, refuses the password or is too old shows in the calls, the `connection` event and one process warning.
 */
export function redisStore(target?: RedisTarget, options: RedisStoreOptions = {}): StoreProvider {
  const resolved = resolveTarget(target)
  const settings = resolveStoreOptions(options)
  const warned = new Set<string>()
  let shared: Connections | undefined
  return {
    kind: 'redis',
    open(context: StoreContext): Store {
      if (context.changes !== undefined && resolved.kind === 'cluster') {
        throw invalidOption('local.mode', 'trust', "'off' on a Redis Cluster, whose servers do not tell of changes in one order")
      }
      if (shared === undefined || shared.empty) shared = new Connections(resolved, context.namespace, warned, settings)
      return new RedisStore(shared, resolved, context)
    },
  }
}

const optionNames: ReadonlySet<string> = new Set<keyof RedisStoreOptions>(['breaker', 'credentials'])

function resolveStoreOptions(options: RedisStoreOptions): ConnectionsOptions {
  checkNames(checkObject('store', options, 'an object of options'), optionNames)
  const { breaker, credentials } = options
  // What was given instead may be the secret itself.
  if (credentials !== undefined && typeof credentials !== 'function')
    throw new LeaseholdError('INVALID_OPTION', 'Option "credentials" must be a function', { option: 'credentials' })
  return { breaker: resolveBreaker(breaker), credentials }
}
