import { isStoreError } from '../errors.ts'
import type { Clock, Store, Timer } from '../ports.ts'
import { mostTagsPerCommand } from '../tags/tag-table.ts'
import type { Deferred, InvalidationJournal } from './invalidation-journal.ts'
import type { Invalidation } from './invalidation.ts'

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
    const waiting = commandsFor(this.#journal.entries())
    let [next, told, failed] = [0, 0, false]
    const tell = async (command: readonly Deferred[]): Promise<void> => {
      if (await this.#tell(command)) told += command.length
      else failed = true
    }
    const work = async (): Promise<void> => {
      while (next < waiting.length && !failed) await tell(waiting[next++] as readonly Deferred[])
    }
    // One goes ahead, so that a store that is still gone is asked for one reply and not for many, and a clear before what it makes superfluous.
    await tell(waiting[next++] as readonly Deferred[])
    await Promise.all(Array.from({ length: Math.min(abreast, waiting.length - 1) }, work))
    this.#pauseMs = failed ? Math.min(longestPauseMs, this.#pauseMs * 2) : firstPauseMs
    if (told > 0) this.#onReplayed(told)
  }

  async #tell(command: readonly Deferred[]): Promise<boolean> {
    // Those that were superseded meanwhile need not be said.
    const invalidations = command.filter(deferred => this.#journal.has(deferred)).map(({ invalidation }) => invalidation)
    const { position } = this.#journal
    try {
      await this.#send(invalidations)
      for (const invalidation of invalidations) this.#journal.acknowledge(invalidation, position, this.#clock.now())
      return true
    } catch (error) {
      if (!isStoreError(error)) process.emitWarning(`the store threw while it was told: ${String(error)}`, 'LeaseholdWarning')
      return false
    }
  }

  async #send(invalidations: readonly Invalidation[]): Promise<unknown> {
    const [first] = invalidations
    const timeoutMs = this.#timeoutMs
    switch (first?.kind) {
      case undefined:
        return
      case 'remove':
        return this.#store.remove({ ...first.key, timeoutMs })
      case 'expire':
        return this.#store.expire({ ...first.key, timeoutMs })
      case 'clear':
        return this.#store.clear(timeoutMs)
      case 'tag':
        return this.#store.bumpTags({ tags: invalidations.filter(each => each.kind === 'tag').map(({ tag }) => tag), timeoutMs })
    }
  }
}

/** What goes out in one command each: many tags, or one of anything else. */
function commandsFor(entries: readonly Deferred[]): (readonly Deferred[])[] {
  const commands: Deferred[][] = []
  let tags: Deferred[] = []
  for (const deferred of entries) {
    if (deferred.invalidation.kind !== 'tag') commands.push([deferred])
    else {
      if (tags.length % mostTagsPerCommand === 0) commands.push((tags = []))
      tags.push(deferred)
    }
  }
  return commands
}
