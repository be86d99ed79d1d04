import type { CacheEventEmitter } from '../event-emitter.ts'
import type { JournalRecord } from '../events.ts'
import type { Sequence } from '../flights/flight.ts'
import type { EngineOptions } from '../options/options.ts'
import type { Clock, Store } from '../ports.ts'
import { InvalidationJournal } from './invalidation-journal.ts'
import { JournalReplay } from './journal-replay.ts'
import { LoadSlots } from './load-slots.ts'
import { OutageCopies } from './outage-copies.ts'

/** What a cache has for the time when its store does not answer. */
export class Outage {
  readonly journal: InvalidationJournal
  readonly replay: JournalReplay
  readonly copies: OutageCopies
  readonly slots: LoadSlots
  /** Keys whose copy is being loaded again behind the callers. */
  readonly refreshing: Set<string> = new Set()
  readonly #clock: Clock
  readonly #events: CacheEventEmitter

  constructor(options: EngineOptions, store: Store, clock: Clock, events: CacheEventEmitter, sequence: Sequence) {
    this.journal = new InvalidationJournal(sequence)
    this.#clock = clock
    this.#events = events
    this.copies = new OutageCopies(clock, options.outageTtlMs)
    this.slots = new LoadSlots(clock, options.maxConcurrentLoads)
    this.replay = new JournalReplay(store, this.journal, clock, options.commandTimeoutMs, count => this.report('replayed', count))
  }

  /** The store became usable. What was loaded without it has had its time. */
  over(): void {
    this.copies.retire()
    void this.replay.now()
  }

  /** Another server answers now, or the same with other data. */
  serverChanged(): void {
    const { count, overflowed } = this.journal.doubt(this.#clock.now())
    if (overflowed) this.report('overflowed', count)
    else if (count > 0) this.report('doubted', count)
    this.replay.schedule()
  }

  report(change: JournalRecord['change'], count: number): void {
    if (!this.#events.topics.journal.heard) return
    this.#events.emit('journal', { at: this.#clock.wallNow(), change, count, waiting: this.journal.length })
  }
}
