/** Some of the things to be warmed, and where in the source they stand. */
export interface WarmChunk<Params> {
  readonly start: number
  readonly end: number
  readonly items: readonly Params[]
}

/** Deals a source out in chunks to workers, and knows how far all of it is done. */
export class WarmSource<Params> {
  readonly #iterator: Iterator<Params> | AsyncIterator<Params>
  readonly #size: number
  readonly #done = new Map<number, number>()
  #toSkip: number
  #taken = 0
  #position = 0
  #ended = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(source: Iterable<Params> | AsyncIterable<Params>, size: number, from: number) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    this.#size = size
    this.#toSkip = from
  }

  /** All chunks before it are done. */
  get position(): number {
    return this.#position
  }

  /** The next chunk, undefined when there is none left. Workers that ask together are served one after the other. */
  next(): Promise<WarmChunk<Params> | undefined> {
    const chunk = this.#turn.then(() => this.#take())
    this.#turn = chunk.catch(() => undefined)
    return chunk
  }

  finish({ start, end }: WarmChunk<Params>): void {
    this.#done.set(start, end)
    for (let reached = this.#done.get(this.#position); reached !== undefined; reached = this.#done.get(this.#position)) {
      this.#done.delete(this.#position)
      this.#position = reached
    }
  }

  /** Lets go of a source that was not read to its end. */
  async close(): Promise<void> {
    await this.#turn
    if (this.#ended) return
    this.#ended = true
    await this.#iterator.return?.()
  }

  async #take(): Promise<WarmChunk<Params> | undefined> {
    while (this.#toSkip > 0 && !this.#ended) {
      if ((await this.#pull()) === undefined) break
      this.#toSkip--
      this.#position = this.#taken
    }
    const start = this.#taken
    const items: Params[] = []
    while (items.length < this.#size && !this.#ended) {
      const pulled = await this.#pull()
      if (pulled === undefined) break
      items.push(pulled.item)
    }
    return items.length === 0 ? undefined : { start, end: this.#taken, items }
  }

  async #pull(): Promise<{ readonly item: Params } | undefined> {
    try {
      const step = await this.#iterator.next()
      if (step.done === true) {
        this.#ended = true
        return undefined
      }
      this.#taken++
      return { item: step.value }
    } catch (error) {
      this.#ended = true
      throw error
    }
  }
}
