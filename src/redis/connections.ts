import type { Redis, RedisOptions } from 'ioredis'
import { systemClock } from '../core/clock.ts'
import type { StoreError } from '../core/errors.ts'
import type { ChangeListeners, Clock, StoreListeners } from '../core/ports.ts'
import { Bus, peerOf } from './bus.ts'
import type { BreakerSettings } from './breaker-options.ts'
import { CredentialSource, type Credentials } from './credentials.ts'
import { ClusterRouter } from './cluster-router.ts'
import { LoopLag } from './loop-lag.ts'
import type { Router } from './router.ts'
import { SingleRouter } from './single-router.ts'
import type { Guard } from './store-node.ts'
import type { Target } from './target.ts'

/** Then the next Sentinel is asked. The client would wait for ever for one that takes the connection and says nothing. */
const sentinelWithinMs = 1_000

/** How a provider guards its servers, and logs in there. */
export interface ConnectionsOptions {
  readonly breaker: BreakerSettings
  readonly credentials: (() => Credentials | Promise<Credentials>) | undefined
}

/** What all caches of one provider share. It connects for the first of them and goes with the last. */
export class Connections {
  readonly clock: Clock = systemClock
  readonly router: Router
  readonly #bus: Bus
  readonly #openBus: () => void
  readonly #members: Set<StoreListeners> = new Set()
  readonly #warned: Set<string>
  /** Undefined until the first attempt to connect has ended. */
  #ready: boolean | undefined

  /** @param warned What the provider has warned of already. */
  constructor(target: Target, namespace: string, warned: Set<string>, options: ConnectionsOptions) {
    this.#warned = warned
    const credentials = options.credentials === undefined ? undefined : new CredentialSource(options.credentials, this.clock)
    const guard: Guard = {
      credentials,
      settings: options.breaker,
      lag: new LoopLag(this.clock),
      onBreaker: (endpoint, state, reason) => {
        for (const { onBreaker } of this.#members) onBreaker?.({ endpoint, state, reason })
      },
      onServerChange: () => {
        for (const { onServerChange } of this.#members) onServerChange?.()
      },
    }
    const name = `leasehold:${namespace}`
    const { clock } = this
    this.#bus = new Bus(refusal => this.#warn('bus', refusal.code, `${refusal.message}: waiting calls poll`))
    const onChange = (fault?: StoreError): void => this.#changed(fault)
    if (target.kind === 'cluster') {
      const router = new ClusterRouter(target.client, name, clock, onChange, guard)
      this.router = router
      // The subscriber goes to one of the servers, which are not known at first.
      this.#openBus = () => {
        if (!router.known) return
        this.#bus.open({ create: router.createAnywhere, name, clock, credentials, beforeRetry: router.moveAnywhere })
      }
    } else {
      const { client } = target
      const enableReadyCheck = client.options.sentinels !== undefined && client.options.sentinels !== null
      const sentinelCommandTimeout = client.options.sentinelCommandTimeout ?? sentinelWithinMs
      const create = (settings: RedisOptions): Redis =>
        client.duplicate({ ...settings, enableReadyCheck, sentinelCommandTimeout })
      this.router = new SingleRouter(create, name, clock, onChange, guard)
      this.#openBus = () => this.#bus.open({ create, name, clock, credentials })
    }
  }

  get empty(): boolean {
    return this.#members.size === 0
  }

  join(channel: string, listeners: StoreListeners): void {
    const first = this.empty
    this.#members.add(listeners)
    this.#bus.add(channel, listeners)
    if (first) {
      this.router.open()
      this.#openBus()
    } else if (this.#ready !== undefined) {
      queueMicrotask(() => this.#ready !== undefined && this.#members.has(listeners) && listeners.onReady(this.#ready))
    }
  }

  /** Listens to one more channel, of changes. Returns what ends that. */
  watch(channel: string, { onChange, onLive }: ChangeListeners): () => void {
    const listeners = { onWake: () => {}, onBus: onLive, onChange }
    this.#bus.add(channel, listeners)
    return () => this.#bus.remove(channel, listeners)
  }

  async leave(channel: string, listeners: StoreListeners): Promise<void> {
    this.#members.delete(listeners)
    this.#bus.remove(channel, listeners)
    if (this.empty) await Promise.all([this.router.close(), this.#bus.close()])
  }

  #changed(fault: StoreError | undefined): void {
    if (this.empty) return
    this.#openBus()
    const ready = this.router.usable
    if (fault !== undefined) this.#fail(fault)
    else if (!ready && this.#ready === undefined) return
    if (ready === this.#ready) return
    this.#ready = ready
    const node = ready && !this.router.clustered ? this.router.owner(0) : undefined
    if (node !== undefined) this.#bus.follow(peerOf(node.scripts.redis))
    for (const { onReady } of this.#members) onReady(ready)
  }

  /** A cache answers without its store, so a server that was never there, a wrong password or an old server would go unseen. */
  #fail({ code, message }: StoreError): void {
    this.#bus.miss()
    if (code !== 'STORE_UNAVAILABLE') this.#warn('store', code, message)
    else if (this.#ready === undefined) this.#warn('store', code, `${message}: the cache answers without it`)
  }

  #warn(part: 'store' | 'bus', code: string, message: string): void {
    const subject = `${part} ${code}`
    if (this.#warned.has(subject)) return
    this.#warned.add(subject)
    process.emitWarning(message, { type: 'LeaseholdWarning', code })
  }
}
