import type { Redis, RedisOptions } from 'ioredis'
import type { StoreError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import { commandFailure, notConnected } from './failures.ts'
import type { Router } from './router.ts'
import { StoreNode, type Guard } from './store-node.ts'

/** One server, or the primary that Sentinel names. */
export class SingleRouter implements Router {
  readonly clustered: boolean = false
  readonly firstAttempt: undefined
  readonly #node: StoreNode

  constructor(
    create: (settings: RedisOptions) => Redis,
    name: string,
    clock: Clock,
    onChange: (fault?: StoreError) => void,
    guard: Guard,
  ) {
    this.#node = new StoreNode({
      create,
      name,
      clock,
      clustered: false,
      send: (redis, keys) => redis.mgetBuffer(keys),
      recover: (_, error) => Promise.reject(commandFailure('a read', error)),
      onChange,
      guard,
    })
  }

  get fault(): StoreError {
    return notConnected()
  }

  owner(): StoreNode {
    return this.#node
  }

  detour(): undefined {
    return undefined
  }

  get usable(): boolean {
    return this.#node.usable
  }

  open(): void {
    this.#node.open()
  }

  close(): Promise<void> {
    return this.#node.close()
  }
}
