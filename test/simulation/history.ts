import type { CallOptions, Token } from '../../src/index.ts'
import type { Knowledge } from './copy-watch.ts'

/** What a value says of itself. */
export interface Payload {
  readonly key: string
  readonly version: number
  readonly birth: number
  /** When its load, or the `set`, began in virtual time. */
  readonly began: number
  /** Which state of the source it shows. */
  readonly source: number
  readonly text?: string
}

/** Where a value came from. */
export interface Birth {
  /** Loaded without the store: its process shares it as long as it knows of no invalidation. */
  outage: boolean
  readonly from: 'load' | 'set'
  readonly process: string
  /** Processes whose loaders have said since that it is as good as new: it is theirs too. */
  readonly confirmedBy: Set<string>
  readonly payload: Payload
  /** An invalidation that began later revokes it. Infinity while a `set` may still be on its way. */
  bornSeq: number
  /** What it was stored with. */
  tags: readonly string[]
  /** The latest virtual time up to which it may be fresh. Infinity while a `set` may still be on its way. */
  freshUntil: number
  /** The same by what loaders have said since, which may be before the `set` has been answered. */
  confirmedUntil: number
}

/** What is known of a value before it is there. */
export interface Beginning extends Pick<Birth, 'from' | 'process' | 'bornSeq' | 'tags'> {
  readonly key: string
  readonly version: number
  readonly began: number
  readonly text: string | undefined
}

export interface CallRecord {
  readonly nth: number
  readonly process: string
  readonly kind:
    | 'getOrSet'
    | 'get'
    | 'getMany'
    | 'peek'
    | 'getEntry'
    | 'has'
    | 'set'
    | 'delete'
    | 'expire'
    | 'invalidateTags'
    | 'clear'
    | 'close'
  readonly key: string
  readonly version: number
  readonly options: CallOptions
  readonly beganSeq: number
  readonly beganAt: number
  readonly pausedBeforeMs: number
  readonly aborts: boolean
  /** Which samples of the server's time the process went by. */
  readonly timeSource: number
  /** Undefined if its process keeps no copies. */
  readonly knew: Knowledge | undefined
  /** What the status record said: `hit`, `hit local`, `stale cooldown`, `miss loaded` and so on. */
  answer: string | undefined
  settled: boolean
}

export interface LoadRecord {
  readonly nth: number
  readonly process: string
  readonly key: string
  readonly version: number
  readonly beganSeq: number
  readonly beganAt: number
  readonly forced: boolean
  readonly refresh: boolean
  readonly hardMs: number
  readonly leaseMs: number
  readonly pausedBeforeMs: number
  /** The store could not be asked for a lease. */
  readonly outage: boolean
  readonly tags: readonly string[]
  /** The lease it runs under. */
  readonly grant: Grant | undefined
  endedSeq: number | undefined
  outcome: 'running' | 'value' | 'nothing' | 'failed'
  /** It ended by itself and left nothing that others could have: they need not queue behind such loads. */
  uncacheable: boolean
}

/** An acquire's yes. */
export interface Grant {
  readonly token: Token
  readonly seq: number
  readonly at: number
  readonly serverMs: number
}

export interface Invalidation {
  readonly kind: 'set' | 'delete' | 'expire' | 'tags' | 'clear'
  /** Of `tags`. */
  readonly tags: readonly string[]
  readonly process: string
  readonly key: string
  readonly version: number
  readonly beganSeq: number
  /** From when it holds in its own process, which knows of it whatever becomes of the store. */
  resolvedSeq: number
  /** From when it holds in every process: once the store has acknowledged it. Infinity while it waits in a journal, or a restart has undone it. */
  everywhereSeq: number
  everywhereAt: number
}

/** Everything that was asked, loaded, stored and revoked in one run. */
export class History {
  readonly calls: CallRecord[] = []
  readonly loads: LoadRecord[] = []
  readonly births: Birth[] = []
  readonly invalidations: Invalidation[] = []
  /** Process and key of loaders that returned what cannot be stored. */
  readonly refusedValues: Set<string> = new Set()
  readonly #sources = new Map<string, number>()

  /** The state of the source behind a key. */
  source(key: string): number {
    return this.#sources.get(key) ?? 0
  }

  changeSource(key: string): void {
    this.#sources.set(key, this.source(key) + 1)
  }

  bear({ key, version, began, text, ...born }: Beginning): Birth {
    const payload = { key, version, birth: this.births.length, began, source: this.source(key) }
    const birth: Birth = {
      ...born,
      confirmedBy: new Set(),
      outage: false,
      payload: text === undefined ? payload : { ...payload, text },
      freshUntil: Infinity,
      confirmedUntil: -Infinity,
    }
    this.births.push(birth)
    return birth
  }

  /** The store has acknowledged all that `process` had to tell it. */
  allTold(process: string, seq: number, at: number): void {
    for (const invalidation of this.invalidations) {
      if (invalidation.process !== process || invalidation.resolvedSeq === Infinity || invalidation.everywhereSeq < seq) continue
      invalidation.everywhereSeq = seq
      invalidation.everywhereAt = at
    }
  }

  /** The server has lost what it was told since `snapshotSeq`. */
  undoSince(snapshotSeq: number): void {
    for (const invalidation of this.invalidations) {
      if (!(invalidation.everywhereSeq < snapshotSeq)) invalidation.everywhereSeq = invalidation.everywhereAt = Infinity
    }
  }
}

export function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && 'birth' in value
}
