import type { Cluster, Redis, RedisOptions } from 'ioredis'
import type { StoreError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import { readFromNode } from './cluster-reads.ts'
import { logClusterIn } from './credentials.ts'
import { withDeadline } from './deadline.ts'
import { again, connectionFailure, notConnected, unreachable } from './failures.ts'
import { topologyNodeSettings, topologySettings } from './connection-settings.ts'
import { type Redirection, parseRedirection, redirectionDelayMs } from './redirection.ts'
import { sendRouted } from './routed-command.ts'
import type { Detour, Router } from './router.ts'
import { slotOf } from './slot.ts'
import { StoreNode, type AskOne, type Guard } from './store-node.ts'

/** Redirections without a pause. Beyond them only the command's own time counts. */
const quickHops = 4
const refreshEveryMs = 100
const maxBackoffMs = 300
/** How long a server that owns no slot is kept after a command was sent there. */
const guestMs = 30_000
const noPrimary =
  'the cluster names no primary: either nobody has slots yet, or its servers do not say their addresses, see cluster-announce-ip'

interface Member {
  readonly node: StoreNode
  guestUntil: number
}

/**
 * A Redis Cluster. ioredis's own cluster client is asked only who has which slot; commands go out on our own connections, so that
 * what becomes of each of them is known.
 */
export class ClusterRouter implements Router {
  readonly clustered: boolean = true
  readonly #topology: Cluster
  readonly #name: string
  readonly #clock: Clock
  readonly #onChange: (fault?: StoreError) => void
  readonly #guard: Guard
  readonly #members: Map<string, Member> = new Map()
  /** The owners that were last believed in, by slot. */
  readonly #owners: (string | undefined)[] = []
  #fault: StoreError = notConnected()
  /** A client of a primary, the last one met: what others are duplicates of when there is none at the moment. */
  #model: Redis | undefined
  #closed = false
  #refreshing: Promise<void> | undefined
  #refreshedAt = -Infinity
  #endFirstAttempt!: () => void
  #firstAttempt: Promise<void> | undefined = new Promise(resolve => (this.#endFirstAttempt = resolve))

  constructor(client: Cluster, name: string, clock: Clock, onChange: (fault?: StoreError) => void, guard: Guard) {
    this.#guard = guard
    this.#name = name
    this.#clock = clock
    this.#onChange = onChange
    const options = {
      ...topologySettings,
      clusterRetryStrategy: (times: number) =>
        this.#closed ? null : Math.min(maxBackoffMs, 10 * 2 ** times) * (0.5 + Math.random() / 2),
      redisOptions: { ...client.options.redisOptions, ...topologyNodeSettings, connectionName: `${name}:topology` },
    }
    this.#topology = client.duplicate([], options)
    if (guard.credentials !== undefined) {
      logClusterIn(this.#topology, guard.credentials, {
        clock,
        closed: () => this.#closed,
        onFault: fault => this.#failed(fault),
        retryMs: () => maxBackoffMs,
      })
    }
    this.#topology.on('error', error => this.#failed(error))
    this.#topology.on('node error', error => {
      this.#fault = connectionFailure(error)
    })
    this.#topology.on('close', () => this.#failed(undefined))
    this.#topology.on('refresh', () => this.#learn())
  }

  get firstAttempt(): Promise<void> | undefined {
    return this.#firstAttempt
  }

  get fault(): StoreError {
    return again(this.#fault)
  }

  /** Whether a primary has been found, so that there is something to connect to. */
  get known(): boolean {
    return this.#model !== undefined
  }

  get usable(): boolean {
    if (this.#members.size === 0) return false
    for (const { node } of this.#members.values()) if (!node.usable) return false
    return true
  }

  open(): void {
    this.#topology.connect().catch(() => {})
  }

  owner(slot: number): StoreNode | undefined {
    const address = this.#topology.slots[slot]?.[0]
    return address === undefined ? undefined : this.#members.get(address)?.node
  }

  detour(slot: number, error: unknown, hop: number): Promise<Detour> | undefined {
    const redirection = parseRedirection(error)
    if (redirection === undefined) return undefined
    return this.#follow(slot, redirection, hop)
  }

  /** A client of some server of the cluster. */
  readonly createAnywhere = (settings: RedisOptions): Redis => this.#anyClient().duplicate(settings)

  /** Makes a client that has lost its server try another. */
  readonly moveAnywhere = (redis: Redis): void => {
    this.#refresh().catch(() => {})
    const { host, port } = this.#anyClient(redis).options
    Object.assign(redis.options, { host, port })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#topology.disconnect()
    await Promise.all([...this.#members.values()].map(({ node }) => node.close()))
    this.#members.clear()
  }

  async #follow(slot: number, { kind, host, port }: Redirection, hop: number): Promise<Detour> {
    if (kind === 'retry' || hop >= quickHops) await pause(this.#clock, redirectionDelayMs(hop))
    if (kind === 'retry') {
      if (hop > 0) await this.#refresh()
    } else {
      const address = this.#mapped(host, port)
      if (kind === 'ask') return { node: this.#guest(address), asking: true }
      const slots = this.#topology.slots
      if (this.#members.has(address)) {
        slots[slot] = [address]
        if (this.#isOrphaned(slot, address)) this.#guard.onServerChange()
        this.#refresh().catch(() => {})
      } else {
        await this.#refresh()
        if (this.owner(slot) === undefined) return { node: this.#guest(address), asking: false }
      }
    }
    const node = this.owner(slot)
    if (node === undefined) throw this.fault
    return { node, asking: false }
  }

  /** Learns anew who has which slot, soon and not too often. */
  #refresh(): Promise<void> {
    if (this.#closed || this.#topology.status !== 'ready') return Promise.resolve()
    this.#refreshing ??= new Promise<void>(resolve => {
      const waitMs = Math.max(0, this.#refreshedAt + refreshEveryMs - this.#clock.now())
      this.#clock.unref(
        this.#clock.setTimeout(() => {
          this.#refreshedAt = this.#clock.now()
          this.#topology.refreshSlotsCache(() => {
            this.#refreshing = undefined
            resolve()
          })
        }, waitMs),
      )
    })
    return this.#refreshing
  }

  #learn(): void {
    if (this.#closed) return
    const primaries = new Set(this.#topology.slots.map(owners => owners?.[0]).filter(address => address !== undefined))
    if (primaries.size > 0) this.#model = this.#topology.nodes('master')[0] ?? this.#model
    this.#noticeFailovers()
    const now = this.#clock.now()
    for (const address of primaries) if (!this.#members.has(address)) this.#join(address, -Infinity)
    for (const [address, { node, guestUntil }] of this.#members) {
      if (primaries.has(address) || now < guestUntil) continue
      this.#members.delete(address)
      node.close().catch(() => {})
    }
    if (primaries.size === 0) return this.#failed(unreachable(noPrimary))
    this.#firstAttempt = undefined
    this.#endFirstAttempt()
    this.#onChange()
  }

  /** Slots whose owner was lost are served by one that may not have heard of its last writes. */
  #noticeFailovers(): void {
    let orphaned = false
    for (const [slot, owners] of this.#topology.slots.entries()) orphaned = this.#isOrphaned(slot, owners?.[0]) || orphaned
    if (orphaned) this.#guard.onServerChange()
  }

  /** Whether `slot` has come to `address` from a server that is lost. From one that still serves it was moved, with what is in it. */
  #isOrphaned(slot: number, address: string | undefined): boolean {
    const before = this.#owners[slot]
    if (address === undefined || address === before) return false
    this.#owners[slot] = address
    return before !== undefined && this.#members.get(before)?.node.usable !== true
  }

  #failed(error: unknown): void {
    if (error !== undefined) this.#fault = connectionFailure(lastOf(error))
    this.#firstAttempt = undefined
    this.#endFirstAttempt()
    this.#onChange(this.#fault)
  }

  /** A server that a command was sent to although it owns no slot that we know of. */
  #guest(address: string): StoreNode {
    const guestUntil = this.#clock.now() + guestMs
    const member = this.#members.get(address)
    if (member === undefined) return this.#join(address, guestUntil)
    member.guestUntil = guestUntil
    return member.node
  }

  #join(address: string, guestUntil: number): StoreNode {
    const colon = address.lastIndexOf(':')
    const host = address.slice(0, colon)
    const port = Number(address.slice(colon + 1))
    const node = new StoreNode({
      create: settings => this.#anyClient().duplicate({ ...settings, host, port }),
      name: this.#name,
      clock: this.#clock,
      clustered: true,
      send: readFromNode,
      guard: this.#guard,
      recover: (key, error, remainingMs, ask) => this.#readElsewhere(key, error, remainingMs, ask),
      onChange: fault => {
        // A lost server may have been replaced.
        if (fault !== undefined) this.#refresh().catch(() => {})
        this.#onChange(fault)
      },
    })
    this.#members.set(address, { node, guestUntil })
    node.open()
    return node
  }

  async #readElsewhere(key: string, error: Error, remainingMs: number, ask: AskOne): Promise<Buffer | null> {
    const slot = slotOf(key)
    const name = 'a read'
    return withDeadline(this.#clock, name, remainingMs, async time => sendRouted(this, slot, 'reads', name, time, ask, error))
  }

  #anyClient(other?: Redis): Redis {
    const clients = this.#topology.nodes('master')
    const better = clients.filter(({ options }) => options.port !== other?.options.port || options.host !== other?.options.host)
    const from = better.length > 0 ? better : clients
    const client = from[Math.floor(Math.random() * from.length)] ?? other ?? this.#model
    if (client === undefined) throw notConnected()
    return client
  }

  /** The address by which we reach a server that the cluster names. */
  #mapped(host: string, port: number): string {
    const address = `${host}:${port}`
    const { natMap } = this.#topology.options
    const mapped = typeof natMap === 'function' ? natMap(address) : natMap?.[address]
    return mapped === undefined || mapped === null ? address : `${mapped.host}:${mapped.port}`
  }
}

/** What the last server said that ioredis asked for the slots. Its own error only says that it asked all. */
function lastOf(error: unknown): unknown {
  return error instanceof Error && 'lastNodeError' in error ? error.lastNodeError : error
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise(resolve => void clock.setTimeout(resolve, ms))
}
