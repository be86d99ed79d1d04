import type { StoreProvider } from '../../../src/core/ports.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'

export interface Bus {
  /** Neither changes nor pulses arrive. */
  silent: boolean
}

/** The embedded store, whose messages of changes arrive while the bus is not silent. */
export function memoryStoreWith(bus: Bus): StoreProvider {
  const memory = memoryStore()
  return {
    kind: 'memory',
    open(context) {
      const { changes } = context
      if (changes === undefined) return memory.open(context)
      const onChange: typeof changes.onChange = change => (bus.silent ? undefined : changes.onChange(change))
      return memory.open({ ...context, changes: { ...changes, onChange } })
    },
  }
}
