import type { StoreError } from '../core/errors.ts'
import type { StoreNode } from './store-node.ts'

/** Where a command goes after a server has sent it elsewhere. It was not run. */
export interface Detour {
  readonly node: StoreNode
  /** Whether the server takes it only after ASKING. */
  readonly asking: boolean
}

/** Which server has which slot. */
export interface Router {
  /** False for a single server, which has all slots. */
  readonly clustered: boolean
  /** The owner of a slot; undefined while nothing is known of it. */
  owner(slot: number): StoreNode | undefined
  /** Until the first attempt to learn the owners has ended, well or badly: a promise of its end. */
  readonly firstAttempt: Promise<void> | undefined
  /** Why {@link owner} knows nothing. A new error each time. */
  readonly fault: StoreError
  /** What an error reply asks for, once it can be tried; undefined when it is no redirection. */
  detour(slot: number, error: unknown, hop: number): Promise<Detour> | undefined
  /** Whether every server can be used. */
  readonly usable: boolean
  open(): void
  close(): Promise<void>
}
