import type { Clock } from './ports.ts'

/** What one call may still spend on store commands. Time spent waiting for a lease or in a loader does not count. */
export class StoreBudget {
  readonly #clock: Clock
  readonly #commandTimeoutMs: number
  #leftMs: number

  constructor(clock: Clock, commandTimeoutMs: number, budgetMs: number) {
    this.#clock = clock
    this.#commandTimeoutMs = commandTimeoutMs
    this.#leftMs = budgetMs
  }

  /** The next command's timeout in ms; 0 when nothing is left. `reserve` keeps room for one command more. */
  timeoutMs(reserve: boolean): number {
    const leftMs = reserve ? this.#leftMs - this.#commandTimeoutMs : this.#leftMs
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
}
