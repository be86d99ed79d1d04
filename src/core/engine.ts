import type { CommandGate } from './calls/command-gate.ts'
import type { PendingCalls } from './calls/pending-calls.ts'
import { isStoreError, type StoreError } from './errors.ts'
import type { CacheEventEmitter } from './event-emitter.ts'
import type { EventLoopDelay } from './flights/event-loop-delay.ts'
import type { BreakerState, StoreErrorRecord } from './events.ts'
import type { Sequence } from './flights/flight.ts'
import type { Flights } from './flights/flights.ts'
import type { LeaseKeeper } from './flights/lease-keeper.ts'
import type { EntryReads, Found } from './local/header-reads.ts'
import type { LocalTier } from './local/local-tier.ts'
import type { EngineOptions } from './options/options.ts'
import type { Clock, Entry, EntryCodec, EntryKey, Random, Store, Unreadable } from './ports.ts'
import type { Outage } from './outage/outage.ts'
import { SchemaMismatch, type ValueSchema } from './resources/value-schema.ts'
import type { Rollout } from './rollout/rollout.ts'
import type { Shadow } from './rollout/shadow.ts'
import type { RefreshAhead } from './calls/refresh-ahead.ts'
import type { HitCounter } from './hit-counts.ts'
import type { Tracer } from './tracer.ts'
import type { OwnInvalidations } from './tags/own-invalidations.ts'
import type { TagLookups } from './tags/tag-check.ts'
import type { Waiters } from './flights/waiters.ts'

/** What the parts of one cache share. */
export interface Engine {
  readonly options: EngineOptions
  readonly store: Store
  /** How calls read what is stored: by the store, and large values that are remembered by their headers alone. */
  readonly reads: EntryReads
  readonly codec: EntryCodec
  readonly clock: Clock
  readonly random: Random
  readonly events: CacheEventEmitter
  readonly sequence: Sequence
  /** Flights of ordinary misses. */
  readonly flights: Flights
  /** Flights of `forceFresh` calls, which take no answer that was loaded before they came. */
  readonly forcedFlights: Flights
  readonly waiters: Waiters
  /** Undefined unless it is to answer by itself. */
  readonly local: LocalTier | undefined
  readonly closeLocal: () => void
  readonly leases: LeaseKeeper
  readonly loopDelay: EventLoopDelay
  readonly refreshes: RefreshAhead
  readonly ownInvalidations: OwnInvalidations
  readonly tagLookups: TagLookups
  readonly gate: CommandGate
  readonly pending: PendingCalls
  readonly outage: Outage
  /** Undefined: every key goes through the cache. */
  readonly rollout: Rollout | undefined
  /** Undefined: no answer is compared with the source. */
  readonly shadow: Shadow | undefined
  /** Every flight under way, refreshes included, each with what abandons it: what `close` drains. */
  readonly underWay: Map<Promise<unknown>, (reason: unknown) => void>
  /** Whether the store and its bus are up; undefined until that has been told. */
  readonly connectivity: Connectivity
  /** Undefined until someone wants hits counted. */
  hitCounter: HitCounter | undefined
  /** Undefined unless operations are traced. */
  tracer: Tracer | undefined
  /** `closing`: no new calls, those that came before may still load. `closed`: nothing starts any more. */
  phase: 'open' | 'closing' | 'closed'
}

export interface Connectivity {
  store: boolean | undefined
  bus: boolean | undefined
  /** By endpoint; those that never changed are not here. */
  readonly breakers: Map<string, BreakerState>
}

type Watched = Pick<Engine, 'events' | 'clock'>

/** The parts of a record that every event carries. */
export function recordBase({ clock }: Pick<Engine, 'clock'>, key: EntryKey): { key: string; version: number; at: number } {
  return { key: key.key, version: key.version, at: clock.wallNow() }
}

/** Reports a failed command and returns it as the store's error. Anything else a store throws is a bug and goes on up. */
export function reportStoreError(
  engine: Watched,
  command: StoreErrorRecord['command'],
  key: EntryKey,
  error: unknown,
): StoreError {
  if (!isStoreError(error)) throw error
  if (engine.events.topics['store-error'].heard) {
    const { code, outcome } = error
    engine.events.emit('store-error', { ...recordBase(engine, key), command, code, outcome, error })
  }
  return error
}

/** Encodes by `encode`; what it throws is reported and goes on up. */
export function reportEncodeError(engine: Watched, key: EntryKey, operation: 'load' | 'set', encode: () => Buffer): Buffer {
  try {
    return encode()
  } catch (error) {
    if (engine.events.topics['encode-error'].heard) {
      engine.events.emit('encode-error', { ...recordBase(engine, key), operation, error })
    }
    throw error
  }
}

/** Opens what was found in the store; bytes that are no readable entry are reported. */
export function openEntry(engine: Watched & Pick<Engine, 'codec'>, key: EntryKey, found: NonNullable<Found>): Entry | Unreadable {
  if (!Buffer.isBuffer(found)) return found
  const opened = engine.codec.open(key, found)
  if ('unreadable' in opened && engine.events.topics['decode-error'].heard) {
    engine.events.emit('decode-error', { ...recordBase(engine, key), reason: opened.unreadable, bytes: found.length })
  }
  return opened
}

/** The entry's value. A payload that cannot be decoded is reported and counts as a miss: {@link undecodable}. */
export function decodeValue(engine: Watched & Pick<Engine, 'codec'>, key: EntryKey, entry: Entry, schema?: ValueSchema): unknown {
  try {
    const value = entry.value()
    return schema === undefined ? value : schema.read(value, engine.codec.freeze)
  } catch (error) {
    reportUndecodable(engine, key, entry.encodedBytes, error)
    return undecodable
  }
}

/** Reports what could not be decoded, or is not what its schema says. */
export function reportUndecodable(engine: Watched, key: EntryKey, bytes: number, error: unknown): void {
  if (!engine.events.topics['decode-error'].heard) return
  const reason = error instanceof SchemaMismatch ? 'schema' : 'payload'
  engine.events.emit('decode-error', { ...recordBase(engine, key), reason, bytes, error })
}

export const undecodable: unique symbol = Symbol('undecodable')
