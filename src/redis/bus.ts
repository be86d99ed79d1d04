import type { Redis } from 'ioredis'
import type { StoreError } from '../core/errors.ts'
import type { ChangeListeners, StoreListeners } from '../core/ports.ts'
import { decodeChange } from './changes.ts'
import { Connection, type ConnectionOptions, type Upkeep } from './connection.ts'
import { commandFailure, notConnected, replyCode } from './failures.ts'
import { decodeWake } from './keys.ts'

type BusListeners = Pick<StoreListeners, 'onWake' | 'onBus'> & Partial<Pick<ChangeListeners, 'onChange'>>

interface Channel {
  readonly listeners: Set<BusListeners>
  subscribed: boolean
  /** Undefined until the first attempt to subscribe has ended. */
  live: boolean | undefined
}

/** One subscriber for all namespaces of a provider. A channel is live while the server has confirmed its subscription. */
export class Bus {
  readonly #channels: Map<string, Channel> = new Map()
  readonly #upkeep: Upkeep = {
    setUp: async redis => {
      for (const channel of this.#channels.values()) channel.subscribed = false
      await this.#subscribeAll(redis)
      return undefined
    },
    check: async redis => {
      await Promise.all([redis.ping(), this.#subscribeAll(redis)])
      return undefined
    },
  }
  readonly #onRefusal: (refusal: StoreError) => void
  #connection: Connection | undefined
  /** Whether the last that was heard of the connection was a failure. */
  #failed = false

  /** @param onRefusal Told when the server does not let us subscribe. That is tried again once a second. */
  constructor(onRefusal: (refusal: StoreError) => void) {
    this.#onRefusal = onRefusal
  }

  /** Connects. Once. */
  open(options: Pick<ConnectionOptions, 'create' | 'name' | 'clock' | 'credentials' | 'beforeRetry'>): void {
    if (this.#connection !== undefined) return
    this.#connection = new Connection({
      ...options,
      name: `${options.name}:bus`,
      upkeep: this.#upkeep,
      onChange: fault => this.#changed(fault !== undefined),
    })
    this.#connection.redis.on('messageBuffer', (name: Buffer | string, message: Buffer) => {
      const channel = this.#channels.get(String(name))
      if (channel === undefined) return
      const wakeId = decodeWake(message)
      if (wakeId !== undefined) for (const { onWake } of channel.listeners) onWake(wakeId)
      else {
        const change = decodeChange(message)
        if (change !== undefined) for (const { onChange } of channel.listeners) onChange?.(change)
      }
    })
    this.#connection.open()
  }

  add(name: string, listeners: BusListeners): void {
    let channel = this.#channels.get(name)
    if (channel === undefined) {
      channel = { listeners: new Set(), subscribed: false, live: this.#failed ? false : undefined }
      this.#channels.set(name, channel)
    }
    channel.listeners.add(listeners)
    if (channel.live !== undefined) this.#tell(channel, listeners)
    if (channel.live !== true && this.#connection?.usable === true)
      this.#subscribe(this.#connection.redis, name, channel).catch(() => {})
  }

  remove(name: string, listeners: BusListeners): void {
    const channel = this.#channels.get(name)
    channel?.listeners.delete(listeners)
    if (channel?.listeners.size !== 0) return
    this.#channels.delete(name)
    if (this.#connection?.usable === true) this.#connection.redis.unsubscribe(name).catch(() => {})
  }

  /** There is no server to connect to. */
  miss(): void {
    if (this.#connection === undefined) this.#changed(true)
  }

  /** Follows the command connections to the server at `address`, which they have just reached. */
  follow(address: string | undefined): void {
    if (this.#connection?.usable !== true || address === undefined) return
    const current = peerOf(this.#connection.redis)
    if (current !== undefined && current !== address) this.#connection.reconnect(notConnected())
  }

  async close(): Promise<void> {
    await this.#connection?.close()
  }

  async #subscribeAll(redis: Redis): Promise<void> {
    const missing = [...this.#channels].filter(([, channel]) => !channel.subscribed)
    await Promise.all(missing.map(([name, channel]) => this.#subscribe(redis, name, channel)))
  }

  async #subscribe(redis: Redis, name: string, channel: Channel): Promise<void> {
    let refusal: StoreError | undefined
    try {
      await redis.subscribe(name)
    } catch (error) {
      if (replyCode(error) === '') throw error
      refusal = commandFailure('to subscribe to wake-ups', error)
    }
    if (this.#channels.get(name) !== channel) return
    channel.subscribed = refusal === undefined
    this.#update(channel, refusal !== undefined)
    if (refusal !== undefined) this.#onRefusal(refusal)
  }

  #changed(failed: boolean): void {
    this.#failed = failed
    for (const channel of this.#channels.values()) this.#update(channel, failed)
  }

  /** @param ended Whether an attempt has ended. Before the first has, nothing is said. */
  #update(channel: Channel, ended: boolean): void {
    const live = channel.subscribed && this.#connection?.usable === true
    if (channel.live === live || (channel.live === undefined && !live && !ended)) return
    channel.live = live
    for (const { onBus } of channel.listeners) onBus(live)
  }

  /** Tells one who came later. */
  #tell(channel: Channel, listeners: BusListeners): void {
    queueMicrotask(() => {
      if (channel.live !== undefined && channel.listeners.has(listeners)) listeners.onBus(channel.live)
    })
  }
}

/** The address at the other end, or undefined for a Unix socket. */
export function peerOf(redis: Redis): string | undefined {
  const stream = redis.stream as { remoteAddress?: string; remotePort?: number } | undefined
  return stream?.remoteAddress === undefined ? undefined : `${stream.remoteAddress} ${stream.remotePort}`
}
