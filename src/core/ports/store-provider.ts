import type { BreakerRecord } from '../events.ts'
import type { Clock, Random } from './clock.ts'
import type { Store, Token } from './store.ts'

/** Told to every process: the lease of the key with this `Store.wakeId` has ended, however it ended, and someone waits for it. */
export type WakeListener = (wakeId: string) => void

export interface StoreListeners {
  readonly onWake: WakeListener
  /** The bus that carries wake-ups went down or came back. While it is down waiters poll. */
  readonly onBus: (live: boolean) => void
  /** The store became usable or stopped being so. */
  readonly onReady: (ready: boolean) => void
  /** The breaker of one of the store's servers changed its state. */
  readonly onBreaker?: (change: BreakerChange) => void
  /** Another server answers from now on, or the same with other data: what was acknowledged lately may be lost. Called before any of its replies is heard. */
  readonly onServerChange?: () => void
}

export type BreakerChange = Omit<BreakerRecord, 'at'>

/** A change in the namespace, in the order in which the store made them. Numbers go up by one from change to change. */
export type Change =
  /** Another value stands at the key with this `Store.wakeId`, or none: then there is no token. */
  | { readonly kind: 'key'; readonly sequence: number; readonly wakeId: string; readonly token: Token | undefined }
  | { readonly kind: 'tags'; readonly sequence: number; readonly tags: readonly string[] }
  /** Everything that was stored before is invalid. */
  | { readonly kind: 'clear'; readonly sequence: number }
  /** No change, but proof that changes are heard: the number of the newest one, and the server time in ms when it was sent. */
  | { readonly kind: 'pulse'; readonly sequence: number; readonly sentAt: number }

/** How one who keeps copies of values hears of changes. */
export interface ChangeListeners {
  readonly onChange: (change: Change) => void
  /** The bus that carries changes came up or went down. What was told while it was down is lost. */
  readonly onLive: (live: boolean) => void
}

export interface StoreContext {
  readonly namespace: string
  /** Left out: nobody here keeps copies. A store that cannot tell of changes throws `INVALID_OPTION`. */
  readonly changes?: ChangeListeners | undefined
  readonly clock: Clock
  readonly random: Random
  readonly listeners: StoreListeners
  readonly maxKeyBytes: number
}

/** What `createCache({ store })` takes. One provider may serve several caches. */
export interface StoreProvider {
  /** Names the kind of store in events: `'redis'`, `'memory'`. */
  readonly kind: string
  open(context: StoreContext): Store
}
