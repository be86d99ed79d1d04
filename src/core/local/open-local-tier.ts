import { invalidOption } from '../options/invalid-option.ts'
import type { EngineOptions } from '../options/options.ts'
import type { ChangeListeners, Clock, EntryKey, Store } from '../ports.ts'
import { LocalTier, type MakeCopyTable } from './local-tier.ts'
import { Pulses } from './pulses.ts'

/** How long after its last pulse was sent the bus is trusted. */
const detectionMs = 3_000

/** On the one server that tells of changes, every key's time is the same. */
const anyKey: EntryKey = { key: '', version: 0 }

/** The local tier of a cache, as it is put together with its store. */
export interface OpenedLocalTier {
  readonly listeners: ChangeListeners
  /** @throws LeaseholdError `INVALID_OPTION` if the store cannot tell of changes */
  attach(store: Store): LocalTier
  close(): void
}

/** Undefined unless the local tier is to answer by itself. */
export function openLocalTier(
  { local, policy, commandTimeoutMs }: EngineOptions,
  clock: Clock,
  makeTable: MakeCopyTable,
): OpenedLocalTier | undefined {
  if (local.mode !== 'trust') return undefined
  let store: Store | undefined
  let closed = false
  const wakeIdOf = (key: EntryKey): string => store?.wakeId(key) ?? key.key
  const tier = new LocalTier(clock, wakeIdOf, makeTable, { ...local, version: policy.version, detectionMs })
  const pulses = new Pulses(clock, async () => store?.pulse?.(commandTimeoutMs))
  return {
    listeners: {
      onChange: change => {
        if (!closed) tier.hear(change, store?.now(anyKey) ?? NaN)
      },
      onLive: live => {
        if (closed) return
        if (!live) tier.loseBus()
        if (live) pulses.start()
        else pulses.stop()
      },
    },
    attach(opened) {
      if (opened.pulse === undefined) throw invalidOption('local.mode', 'trust', "'off': this store does not tell of changes")
      store = opened
      return tier
    },
    /** The store may still speak while calls are drained: without pulses nothing is trusted, nor kept, any more. */
    close() {
      closed = true
      pulses.stop()
      tier.loseBus()
      tier.changeAll()
    },
  }
}
