/** How many calls have not been answered yet: what `close` waits for. */
export class PendingCalls {
  #count = 0
  #onIdle: (() => void) | undefined

  enter(): void {
    this.#count++
  }

  leave(): void {
    if (--this.#count === 0) this.#onIdle?.()
  }

  get count(): number {
    return this.#count
  }

  /** Resolves once none is pending. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise(resolve => (this.#onIdle = resolve))
  }

  async during<Value>(work: () => Promise<Value>): Promise<Value> {
    this.enter()
    try {
      return await work()
    } finally {
      this.leave()
    }
  }
}
