import { channel, type Channel } from 'node:diagnostics_channel'
import type { CacheEventName, CacheEvents } from './events.ts'
import { invalidOption, unknownOption } from './options/invalid-option.ts'

export type CacheEventListener<Name extends CacheEventName> = (record: CacheEvents[Name]) => void

/** What the `node:diagnostics_channel` channels `leasehold:<event>` carry. */
export interface DiagnosticsMessage<Name extends CacheEventName = CacheEventName> {
  /** The cache's namespace. */
  readonly cache: string
  readonly record: CacheEvents[Name]
}

/** One event: who listens here, and who subscribes to its channel. */
class EventTopic<Name extends CacheEventName> {
  listeners: readonly CacheEventListener<Name>[] | undefined
  readonly channel: Channel

  constructor(name: Name) {
    this.channel = channel(`leasehold:${name}`)
  }

  /** Look here before building a record. */
  get heard(): boolean {
    return this.listeners !== undefined || this.channel.hasSubscribers
  }
}

type Topics = { readonly [Name in CacheEventName]: EventTopic<Name> }

/** Typed events whose records are built only for names that someone listens to. */
export class CacheEventEmitter {
  readonly topics: Topics = {
    hit: new EventTopic('hit'),
    lookup: new EventTopic('lookup'),
    miss: new EventTopic('miss'),
    stale: new EventTopic('stale'),
    wait: new EventTopic('wait'),
    load: new EventTopic('load'),
    commit: new EventTopic('commit'),
    renewal: new EventTopic('renewal'),
    lost: new EventTopic('lost'),
    refresh: new EventTopic('refresh'),
    set: new EventTopic('set'),
    invalidate: new EventTopic('invalidate'),
    'encode-error': new EventTopic('encode-error'),
    'decode-error': new EventTopic('decode-error'),
    'store-error': new EventTopic('store-error'),
    connection: new EventTopic('connection'),
    breaker: new EventTopic('breaker'),
    journal: new EventTopic('journal'),
    shadow: new EventTopic('shadow'),
  }
  readonly #cache: string

  /** @param cache The namespace, by which subscribers to a channel tell caches apart. */
  constructor(cache: string) {
    this.#cache = cache
  }

  /** @throws LeaseholdError `UNKNOWN_OPTION`, `INVALID_OPTION` */
  on<Name extends CacheEventName>(name: Name, listener: CacheEventListener<Name>): void {
    if (!Object.hasOwn(this.topics, name)) throw unknownOption(name, Object.keys(this.topics), 'event')
    if (typeof listener !== 'function') throw invalidOption('listener', listener, 'a function')
    const topic: EventTopic<Name> = this.topics[name]
    topic.listeners = [...(topic.listeners ?? []), listener]
  }

  off<Name extends CacheEventName>(name: Name, listener: CacheEventListener<Name>): void {
    const topic: EventTopic<Name> | undefined = this.topics[name]
    if (topic === undefined) return
    const left = (topic.listeners ?? []).filter(other => other !== listener)
    topic.listeners = left.length === 0 ? undefined : left
  }

  /** A listener that throws, or an async one that rejects, is reported as a process warning: it must not change what a call returns. */
  emit<Name extends CacheEventName>(name: Name, record: CacheEvents[Name]): void {
    const topic: EventTopic<Name> = this.topics[name]
    for (const listener of topic.listeners ?? []) {
      try {
        const returned: unknown = listener(record)
        if (returned instanceof Promise) returned.catch((error: unknown) => warn(name, error))
      } catch (error) {
        warn(name, error)
      }
    }
    if (topic.channel.hasSubscribers) topic.channel.publish({ cache: this.#cache, record } satisfies DiagnosticsMessage<Name>)
  }
}

function warn(name: CacheEventName, error: unknown): void {
  process.emitWarning(`a listener of '${name}' threw: ${String(error)}`, 'LeaseholdWarning')
}
