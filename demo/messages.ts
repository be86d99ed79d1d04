import type { ContenderName } from './contender.ts'
import type { Arrival } from './schedule.ts'
import type { Edit, Scene } from './scenes.ts'

/** What a worker does in one run of one scene. */
export interface Share {
  readonly arrivals: readonly Arrival[]
  readonly edits: readonly Edit[]
}

export type ToWorker =
  | { readonly kind: 'connect'; readonly databaseUrl: string; readonly schema: string; readonly redisUrl: string | undefined }
  /** 0 takes any free port. The server's own facts are told by one worker: they are the same for all. */
  | { readonly kind: 'serve metrics'; readonly port: number; readonly ofRedis: boolean }
  | {
      readonly kind: 'open'
      readonly contender: ContenderName
      readonly namespace: string
      readonly scene: Scene
      readonly share: Share
    }
  /** Reads these products so that they are in the cache. */
  | { readonly kind: 'warm'; readonly products: readonly number[] }
  /** `startAt` is on the shared clock. */
  | { readonly kind: 'run'; readonly startAt: number }
  /** Empties the cache of these products and closes it. */
  | { readonly kind: 'close'; readonly products: readonly number[] }

export type FromWorker =
  | { readonly kind: 'done' }
  | { readonly kind: 'serving metrics'; readonly url: string }
  | { readonly kind: 'result'; readonly result: ShareResult }
  | { readonly kind: 'tick'; readonly counts: Counts }
  | { readonly kind: 'failed'; readonly message: string }

export interface Counts {
  readonly requests: number
  readonly answered: number
  readonly queries: number
}

/** A read of a product that the scene edits. Moments are on the shared clock. */
export interface Answer {
  readonly product: number
  readonly askedAt: number
  readonly version: number
}

export interface AcknowledgedDelete {
  readonly product: number
  readonly acknowledgedAt: number
  /** The row's version from then on. */
  readonly version: number
}

export interface ShareResult {
  /** Each answered call, from the moment it was due. */
  readonly latenciesMs: Float64Array
  readonly queries: number
  readonly failures: number
  readonly firstFailure: string | undefined
  readonly answers: readonly Answer[]
  readonly deletes: readonly AcknowledgedDelete[]
}
