import type { Connectivity, Engine } from './engine.ts'
import { recordBase, reportStoreError } from './engine.ts'
import { CommandGate } from './calls/command-gate.ts'
import { PendingCalls } from './calls/pending-calls.ts'
import { isStoreError } from './errors.ts'
import { CacheEventEmitter } from './event-emitter.ts'
import { EventLoopDelay } from './flights/event-loop-delay.ts'
import { Sequence } from './flights/flight.ts'
import { Flights } from './flights/flights.ts'
import { LeaseKeeper } from './flights/lease-keeper.ts'
import type { EngineOptions } from './options/options.ts'
import type { Clock, EntryCodec, EntryKey, Random, StoreProvider } from './ports.ts'
import { Outage } from './outage/outage.ts'
import { Rollout } from './rollout/rollout.ts'
import { Shadow } from './rollout/shadow.ts'
import { readsOf } from './local/header-reads.ts'
import type { MakeCopyTable } from './local/local-tier.ts'
import { openLocalTier } from './local/open-local-tier.ts'
import { RefreshAhead } from './calls/refresh-ahead.ts'
import { OwnInvalidations } from './tags/own-invalidations.ts'
import { Waiters } from './flights/waiters.ts'

/** Opens the store and puts the parts of one cache together. */
export function buildEngine(
  options: EngineOptions,
  provider: StoreProvider,
  codec: EntryCodec,
  clock: Clock,
  random: Random,
  makeCopyTable: MakeCopyTable,
): Engine {
  const events = new CacheEventEmitter(options.namespace)
  const waiters = new Waiters()
  const loopDelay = new EventLoopDelay()
  const connectivity: Connectivity = { store: undefined, bus: undefined, breakers: new Map() }
  const sequence = new Sequence()
  const reportConnection = (part: 'store' | 'bus', up: boolean): void => {
    connectivity[part] = up
    if (!events.topics.connection.heard) return
    events.emit('connection', { at: clock.wallNow(), part, state: up ? 'up' : 'down' })
  }
  // The store may speak before the rest stands.
  const later: { outage?: Outage } = {}
  const localTier = openLocalTier(options, clock, makeCopyTable)
  const store = provider.open({
    namespace: options.namespace,
    changes: localTier?.listeners,
    clock,
    random,
    maxKeyBytes: options.maxKeyBytes,
    listeners: {
      onWake: wakeId => waiters.wake(wakeId),
      onBus: live => {
        waiters.setBus(live)
        reportConnection('bus', live)
      },
      onReady: ready => {
        reportConnection('store', ready)
        if (ready) later.outage?.over()
      },
      onServerChange: () => later.outage?.serverChanged(),
      onBreaker: change => {
        connectivity.breakers.set(change.endpoint, change.state)
        if (events.topics.breaker.heard) events.emit('breaker', { at: clock.wallNow(), ...change })
      },
    },
  })
  const outage = (later.outage = new Outage(options, store, clock, events, sequence))
  const isPartial = options.rollout < 1 || options.enabled !== undefined
  const local = localTier?.attach(store)
  const onRenewalError = (key: EntryKey, error: unknown): void => {
    if (isStoreError(error)) reportStoreError({ events, clock }, 'renew', key, error)
    // No caller is there to hear of a bug in the store.
    else process.emitWarning(`the store threw while it renewed the lease of '${key.key}': ${String(error)}`, 'LeaseholdWarning')
  }
  const leases = new LeaseKeeper(store, clock, loopDelay, onRenewalError, (key, outcome) => {
    if (events.topics.renewal.heard) events.emit('renewal', { ...recordBase({ clock }, key), outcome })
  })
  return {
    options,
    store,
    reads: readsOf(store, codec.memory, clock),
    codec,
    clock,
    random,
    events,
    sequence,
    flights: new Flights(),
    forcedFlights: new Flights(),
    waiters,
    local,
    closeLocal: () => localTier?.close(),
    leases,
    loopDelay,
    refreshes: new RefreshAhead(options.maxRefreshes),
    ownInvalidations: new OwnInvalidations(sequence),
    tagLookups: { likely: false },
    gate: new CommandGate(),
    pending: new PendingCalls(),
    outage,
    rollout: isPartial ? new Rollout(options.rollout, options.namespace, options.enabled) : undefined,
    shadow: options.shadow > 0 ? new Shadow(options.shadow) : undefined,
    underWay: new Map(),
    connectivity,
    hitCounter: undefined,
    tracer: undefined,
    phase: 'open',
  }
}
