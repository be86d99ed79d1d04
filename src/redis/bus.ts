import type { Redis } from 'ioredis'
import type { StoreListeners } from '../core/ports.ts'
import { Connection, type ConnectionOptions, type Upkeep } from './connection.ts'
import { notConnected } from './failures.ts'
import { decodeWake } from './keys.ts'

type BusListeners = Pick<StoreListeners, 'onWake' | 'onBus'>

interface Channel {
  readonly listeners: Set<BusListeners>
  subscribed: boolean
  live: boolean
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
  #connection: Connection | undefined

  /** Connects. Once. */
  open(options: Pick<ConnectionOptions, 'create' | 'name' | 'clock' | 'beforeRetry'>): void {
    if (this.#connection !== undefined) return
    this.#connection = new Connection({
      ...options,
      name: `${options.name}:bus`,
      upkeep: this.#upkeep,
      onChange: () => this.#updateAll(),
    })
    this.#connection.redis.on('messageBuffer', (name: Buffer | string, message: Buffer) => {
      const channel = this.#channels.get(String(name))
      if (channel === undefined) return
      const wakeId = decodeWake(message)
      if (wakeId !== undefined) for (const listeners of channel.listeners) listeners.onWake(wakeId)
    })
    this.#connection.open()
  }

  add(name: string, listeners: BusListeners): void {
    let channel = this.#channels.get(name)
    if (channel === undefined) {
      channel = { listeners: new Set(), subscribed: false, live: false }
      this.#channels.set(name, channel)
    }
    channel.listeners.add(listeners)
    if (this.#connection?.usable !== true) return
    if (channel.live) queueMicrotask(() => channel.live && channel.listeners.has(listeners) && listeners.onBus(true))
    else this.#subscribe(this.#connection.redis, name, channel).catch(() => {})
  }

  remove(name: string, listeners: BusListeners): void {
    const channel = this.#channels.get(name)
    channel?.listeners.delete(listeners)
    if (channel?.listeners.size !== 0) return
    this.#channels.delete(name)
    if (this.#connection?.usable === true) this.#connection.redis.unsubscribe(name).catch(() => {})
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
    await redis.subscribe(name)
    if (this.#channels.get(name) !== channel) return
    channel.subscribed = true
    this.#update(channel)
  }

  #updateAll(): void {
    for (const channel of this.#channels.values()) this.#update(channel)
  }

  #update(channel: Channel): void {
    const live = channel.subscribed && this.#connection?.usable === true
    if (channel.live === live) return
    channel.live = live
    for (const { onBus } of channel.listeners) onBus(live)
  }
}

/** The address at the other end, or undefined for a Unix socket. */
export function peerOf(redis: Redis): string | undefined {
  const stream = redis.stream as { remoteAddress?: string; remotePort?: number } | undefined
  return stream?.remoteAddress === undefined ? undefined : `${stream.remoteAddress} ${stream.remotePort}`
}
