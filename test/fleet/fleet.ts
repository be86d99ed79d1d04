import { randomBytes } from 'node:crypto'
import { FleetCache } from './fleet-cache.ts'
import { startMember, type Member } from './member.ts'
import type { LoadNotice, MemberCacheOptions, Subject } from './messages.ts'

export interface FleetOptions {
  readonly processes: number
  readonly redisUrl: string
}

/** Starts worker processes. They end when `stop` is called, and also when this process does, however it dies. */
export async function startFleet({ processes, redisUrl }: FleetOptions): Promise<Fleet> {
  const fleet = new Fleet(redisUrl)
  await fleet.grow(processes)
  return fleet
}

/** Worker processes over one Redis. */
export class Fleet {
  readonly redisUrl: string
  readonly #members: Member[] = []
  readonly #caches = new Map<string, FleetCache>()

  constructor(redisUrl: string) {
    this.redisUrl = redisUrl
  }

  get members(): readonly Member[] {
    return this.#members
  }

  async grow(by: number): Promise<void> {
    const onLoad = (member: Member, notice: LoadNotice): void => this.#caches.get(notice.namespace)?.noteLoad(member, notice)
    const indices = Array.from({ length: by }, (_, index) => this.#members.length + index)
    this.#members.push(...(await Promise.all(indices.map(index => startMember(index, onLoad)))))
  }

  /** Opens a cache of one namespace in the first `processes` members, all of them if not said. */
  async open(options: MemberCacheOptions = {}, settings: OpenSettings = {}): Promise<FleetCache> {
    const { subject = 'leasehold', breaker = true, namespace = `fleet-${randomBytes(6).toString('hex')}`, processes } = settings
    const members = this.#members.filter(member => member.alive).slice(0, processes)
    const cache = new FleetCache(namespace, members)
    this.#caches.set(namespace, cache)
    const request = { namespace, redisUrl: this.redisUrl, subject, breaker, options }
    await Promise.all(members.map(member => member.ask('open', request)))
    return cache
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(member => member.kill()))
  }
}

export interface OpenSettings {
  readonly subject?: Subject
  readonly namespace?: string
  readonly processes?: number
  /** Default: as `redisStore` has it. False: none, for tests that must not fail because the machine is slow. */
  readonly breaker?: boolean
}
