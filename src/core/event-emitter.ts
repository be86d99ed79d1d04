import type { CacheEventName, CacheEvents } from './events.ts'
import { invalidOption, unknownOption } from './options/invalid-option.ts'

export type CacheEventListener<Name extends CacheEventName> = (record: CacheEvents[Name]) => void

type Listeners = { [Name in CacheEventName]: readonly CacheEventListener<Name>[] | undefined }

/** Typed events whose records are built only for names that someone listens to. */
export class CacheEventEmitter {
  /** Look here before building a record: undefined when nobody listens. */
  readonly listeners: Listeners = {
    hit: undefined,
    miss: undefined,
    stale: undefined,
    wait: undefined,
    load: undefined,
    commit: undefined,
    lost: undefined,
    refresh: undefined,
    set: undefined,
    invalidate: undefined,
    'decode-error': undefined,
    'store-error': undefined,
    connection: undefined,
  }

  /** @throws LeaseholdError `UNKNOWN_OPTION`, `INVALID_OPTION` */
  on<Name extends CacheEventName>(name: Name, listener: CacheEventListener<Name>): void {
    if (!Object.hasOwn(this.listeners, name)) throw unknownOption(name, Object.keys(this.listeners), 'event')
    if (typeof listener !== 'function') throw invalidOption('listener', listener, 'a function')
    this.#replace(name, [...(this.listeners[name] ?? []), listener])
  }

  off<Name extends CacheEventName>(name: Name, listener: CacheEventListener<Name>): void {
    const left = (this.listeners[name] ?? []).filter(other => other !== listener)
    this.#replace(name, left.length === 0 ? undefined : left)
  }

  /** A listener that throws, or an async one that rejects, is reported as a process warning: it must not change what a call returns. */
  emit<Name extends CacheEventName>(name: Name, record: CacheEvents[Name]): void {
    for (const listener of this.listeners[name] ?? []) {
      try {
        const returned: unknown = listener(record)
        if (returned instanceof Promise) returned.catch((error: unknown) => warn(name, error))
      } catch (error) {
        warn(name, error)
      }
    }
  }

  #replace<Name extends CacheEventName>(name: Name, listeners: readonly CacheEventListener<Name>[] | undefined): void {
    ;(this.listeners as { [N in Name]: readonly CacheEventListener<N>[] | undefined })[name] = listeners
  }
}

function warn(name: CacheEventName, error: unknown): void {
  process.emitWarning(`a listener of '${name}' threw: ${String(error)}`, 'LeaseholdWarning')
}
