import type { Engine } from './engine.ts'
import { isStoreError, LeaseholdError } from './errors.ts'
import type { EntryKey } from './ports.ts'

const key: EntryKey = { key: 'ready', version: 0 }
const tryAgainAfterMs = 50

/**
 * Resolves once the store can be used now. One that is not there may come within the time; one that refuses is believed at once.
 *
 * @throws StoreError why the last try failed
 */
export async function awaitStore(engine: Engine, timeoutMs: number): Promise<void> {
  const { store, clock } = engine
  const endsAt = clock.now() + timeoutMs
  const remainingMs = (): number => endsAt - clock.now()
  for (;;) {
    try {
      await store.ready(key, Math.max(1, remainingMs()))
      // A connection that stands says little of a server that hangs, or that does not let this user read.
      await store.read(key, Math.max(1, remainingMs()))
      return
    } catch (error) {
      if (engine.phase !== 'open') throw new LeaseholdError('CACHE_CLOSED', 'this cache was closed')
      const absent = isStoreError(error) && error.code === 'STORE_UNAVAILABLE'
      if (!absent || remainingMs() <= tryAgainAfterMs) throw error
    }
    await new Promise<void>(resolve => void clock.setTimeout(resolve, tryAgainAfterMs))
  }
}
