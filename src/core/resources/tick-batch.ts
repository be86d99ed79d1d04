import { Call } from '../calls/call.ts'
import type { Engine } from '../engine.ts'
import type { LoadBatch } from '../flights/load-batch.ts'
import type { Policy } from '../options/options.ts'
import type { ResourceLoading } from './resource-loading.ts'

interface OpenBatch {
  readonly batch: LoadBatch
  readonly paramsOf: Map<string, unknown>
}

/** Gives the single calls of one event-loop tick one load to share. */
export class TickBatch {
  readonly #loading: ResourceLoading
  #open: OpenBatch | undefined

  constructor(loading: ResourceLoading) {
    this.#loading = loading
  }

  call(engine: Engine, key: string, params: unknown, policy: Policy): Call {
    const { batch, paramsOf } = (this.#open ??= this.#begin())
    paramsOf.set(key, params)
    const call = new Call(engine, key, batch.loader, policy, batch)
    call.arrival = batch.expect(false)
    return call
  }

  #begin(): OpenBatch {
    const paramsOf = new Map<string, unknown>()
    const batch = this.#loading.many(paramsOf, { mayUpgrade: true, ttlGiven: false }) as LoadBatch
    // After the promises of this tick, so that calls in their reactions come along.
    void Promise.resolve().then(() => process.nextTick(() => (this.#open = undefined)))
    return { batch, paramsOf }
  }
}
