import { isStoreError } from '../errors.ts'
import type { Clock, Store, Timer } from '../ports.ts'
import type { Deferred, InvalidationJournal } from './invalidation-journal.ts'

const firstPauseMs = 100
const longestPauseMs = 250
/** So many are under way at once. */
const abreast = 64

/** Tells the store what the journal holds, again and again until it has heard it. */
export class JournalReplay {
  readonly #store: Store
  readonly #journal: InvalidationJournal
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #onReplayed: (count: number) => void
  #timer: Timer | undefined
  #running: Promise<void> | undefined
  #pauseMs = firstPauseMs
  #stopped = false

  constructor(
    store: Store,
    journal: InvalidationJournal,
    clock: Clock,
    timeoutMs: number,
    /** Told after each round in which something was said. */
    onReplayed: (count: number) => void,
  ) {
    this.#store = store
    this.#journal = journal
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#onReplayed = onReplayed
  }

  /** Something was deferred. */
  schedule(): void {
    if (this.#timer !== undefined || this.#running !== undefined || this.#stopped || this.#journal.length === 0) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      void this.now()
    }, this.#pauseMs)
    this.#clock.unref(this.#timer)
  }

  /** The store is there again. Resolves after one round. */
  async now(): Promise<void> {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#stopped || this.#journal.length === 0) return
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined
      this.schedule()
    })
    await this.#running
  }

  /** One last round. */
  async stop(): Promise<void> {
    await this.now()
    this.#stopped = true
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
  }

  async #round(): Promise<void> {
    const waiting = this.#journal.entries()
    let [next, told, failed] = [0, 0, false]
    const work = async (): Promise<void> => {
      while (next < waiting.length && !failed) {
        const deferred = waiting[next++] as Deferred
        if (await this.#tell(deferred)) told++
        else failed = true
      }
    }
    // One goes ahead, so that a store that is still gone is asked for one reply and not for many.
    if (await this.#tell(waiting[next++] as Deferred)) told++
    else failed = true
    await Promise.all(Array.from({ length: Math.min(abreast, waiting.length - 1) }, work))
    this.#pauseMs = failed ? Math.min(longestPauseMs, this.#pauseMs * 2) : firstPauseMs
    if (told > 0) this.#onReplayed(told)
  }

  async #tell(deferred: Deferred): Promise<boolean> {
    const { key } = deferred
    // One that was superseded meanwhile need not be said.
    if (this.#journal.find(key) !== deferred) return true
    try {
      await this.#store.remove({ ...key, timeoutMs: this.#timeoutMs })
      this.#journal.acknowledge(key, deferred, this.#clock.now())
      return true
    } catch (error) {
      if (!isStoreError(error))
        process.emitWarning(`the store threw while it removed '${key.key}': ${String(error)}`, 'LeaseholdWarning')
      return false
    }
  }
}
