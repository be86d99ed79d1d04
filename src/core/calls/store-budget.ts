import type { Clock } from '../ports.ts'

/** What one call may still spend on store commands. Time spent waiting for a lease or in a loader does not count. */
export class StoreBudget {
  readonly #clock: Clock
  readonly #commandTimeoutMs: number
  readonly #budgetMs: number
  /** Room for the commit: a command's worth, but at most half, so that a budget of one command still asks for the lease. */
  readonly #reserveMs: number
  #leftMs: number

  constructor(clock: Clock, commandTimeoutMs: number, budgetMs: number) {
    this.#clock = clock
    this.#commandTimeoutMs = commandTimeoutMs
    this.#budgetMs = budgetMs
    this.#reserveMs = Math.min(commandTimeoutMs, budgetMs / 2)
    this.#leftMs = budgetMs
  }

  /** The next command's timeout in ms; 0 when nothing is left. `reserve` keeps room for the commit. */
  timeoutMs(reserve: boolean): number {
    const leftMs = reserve ? this.#leftMs - this.#reserveMs : this.#leftMs
    return Math.max(0, Math.min(this.#commandTimeoutMs, leftMs))
  }

  async spend<Reply>(command: () => Promise<Reply>): Promise<Reply> {
    const startedAt = this.#clock.now()
    try {
      return await command()
    } finally {
      this.charge(this.#clock.now() - startedAt)
    }
  }

  /** Takes off what a command has cost. More than its timeout is not the store's doing but a busy event loop's. */
  charge(ms: number): void {
    this.#leftMs -= Math.min(ms, this.#commandTimeoutMs)
  }

  /** The store has just answered that the lease is taken, or that the command came late: it works, and asking again is not its fault. */
  refill(): void {
    this.#leftMs = this.#budgetMs
  }
}
