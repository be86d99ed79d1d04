import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'

interface Waiting {
  readonly start: () => void
}

/**
 * Lets a bounded number of a resource's loads run at once in this process. The others wait in two bounded lines: those that callers wait for go before
 * refreshes and warm-ups. A load whose time is over, or that nobody wants any more, leaves the line.
 */
export class LoadQueue {
  readonly #name: string
  readonly #most: number
  readonly #mostWaiting: number
  readonly #callers = new Set<Waiting>()
  readonly #background = new Set<Waiting>()
  #running = 0

  constructor(name: string, most: number, mostWaiting: number) {
    this.#name = name
    this.#most = most
    this.#mostWaiting = mostWaiting
  }

  /** No load may be added now: it would have no place in line. */
  get full(): boolean {
    return this.#running >= this.#most && this.#callers.size + this.#background.size >= this.#mostWaiting
  }

  /** Why the value of `key` is not loaded when it is {@link full}. */
  overloaded(key: string): LeaseholdError {
    const message = `${describeValue(key)} is not loaded: ${this.#mostWaiting} loads of '${this.#name}' wait for one of ${this.#most} to end; raise maxConcurrentLoads or maxQueuedLoads, or load faster`
    return new LeaseholdError('OVERLOADED', message, { key, option: 'maxQueuedLoads' })
  }

  /** Not to be called when it is {@link full}. @throws the signal's reason when it aborts before its turn */
  async run<Result>(signal: AbortSignal, background: boolean, load: () => Result | Promise<Result>): Promise<Result> {
    if (this.#running >= this.#most) await this.#turn(signal, background ? this.#background : this.#callers)
    else this.#running++
    try {
      return await load()
    } finally {
      this.#next()
    }
  }

  #turn(signal: AbortSignal, line: Set<Waiting>): Promise<void> {
    signal.throwIfAborted()
    return new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        line.delete(waiting)
        reject(signal.reason as Error)
      }
      const waiting = {
        start: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      line.add(waiting)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Hands the place on, or gives it back. */
  #next(): void {
    for (const line of [this.#callers, this.#background]) {
      for (const waiting of line) {
        line.delete(waiting)
        return waiting.start()
      }
    }
    this.#running--
  }
}
