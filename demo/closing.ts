/** Whatever was opened, closed in the reverse order, whether the demo ended, failed or was interrupted. */
export class Closing {
  readonly #closers: (() => Promise<void>)[] = []
  #closed: Promise<void> | undefined

  /** Registers before it waits, so that something still starting when the demo is interrupted is closed too. */
  open<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const settled = starting.catch(() => undefined)
    this.#closers.push(async () => {
      const opened = await settled
      await opened?.close()
    })
    return starting
  }

  closeAll(): Promise<void> {
    this.#closed ??= this.#closeEach()
    return this.#closed
  }

  async #closeEach(): Promise<void> {
    let close = this.#closers.pop()
    while (close !== undefined) {
      await close().catch((error: unknown) => console.error('demo: closing failed:', error))
      close = this.#closers.pop()
    }
  }
}
