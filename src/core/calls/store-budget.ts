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
      this.#leftMs -= this.#clock.now() - startedAt
    }
  }

  /** Takes off what a command has cost that was not sent through {@link spend}. */
  charge(ms: number): void {
    this.#leftMs -= ms
  }

  /** The store has just said that the lease is taken: that it must be asked again is no fault of the store. */
  refill(): void {
    this.#leftMs = this.#budgetMs
  }
}
