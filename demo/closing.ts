import { setTimeout as sleep } from 'node:timers/promises'

/** A closer that takes longer is left behind: the children leave by themselves when this process is gone. */
const longestCloseMs = 5000

/** Whatever was opened, closed in the reverse order, whether the run ended, failed or was interrupted. */
export class Closing {
  readonly #closers: (() => Promise<void>)[] = []
  readonly #interrupted = new AbortController()
  #closed: Promise<void> | undefined

  /** Aborts when closing begins, for what is slow to start. */
  get signal(): AbortSignal {
    return this.#interrupted.signal
  }

  /** Registers before it waits, so that something still starting when the run is interrupted is closed too. */
  open<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const settled = starting.catch(() => undefined)
    this.#closers.push(async () => {
      const opened = await settled
      await opened?.close()
    })
    return starting
  }

  closeAll(): Promise<void> {
    this.#interrupted.abort()
    this.#closed ??= this.#closeEach()
    return this.#closed
  }

  async #closeEach(): Promise<void> {
    let close = this.#closers.pop()
    while (close !== undefined) {
      const closed = close().catch((error: unknown) => console.error('closing failed:', error))
      const done = new AbortController()
      await Promise.race([closed, sleep(longestCloseMs, undefined, { signal: done.signal }).catch(() => {})])
      done.abort()
      close = this.#closers.pop()
    }
  }
}
