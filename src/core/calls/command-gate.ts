/** So many fit into a socket and through a server well within one command timeout. */
const mostAtOnce = 256

/**
 * Lets a bounded number of scripts out at once. A burst of cold keys would otherwise queue behind itself in the socket until its own deadlines
 * have passed, and nothing would be stored.
 */
export class CommandGate {
  #room = mostAtOnce
  #queue: (() => void)[] = []
  #first = 0

  /** Undefined when there is room now, else a promise of it. Each entry needs one {@link leave}. */
  enter(): Promise<void> | undefined {
    if (this.#room > 0) {
      this.#room--
      return undefined
    }
    return new Promise(resolve => this.#queue.push(resolve))
  }

  leave(): void {
    const next = this.#queue[this.#first++]
    if (next !== undefined) return next()
    this.#queue = []
    this.#first = 0
    this.#room++
  }
}
