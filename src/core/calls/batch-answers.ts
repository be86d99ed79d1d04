import { BatchError } from '../errors.ts'

/** What became of the keys of a batch, by their places in it. */
export class BatchAnswers {
  readonly #keys: readonly string[]
  readonly #values: unknown[]
  readonly #errors = new Map<string, unknown>()

  constructor(keys: readonly string[]) {
    this.#keys = keys
    this.#values = Array.from(keys, () => undefined)
  }

  answer(place: number, value: unknown): void {
    this.#values[place] = value
  }

  get failedKeys(): number {
    return this.#errors.size
  }

  fail(key: string, error: unknown): void {
    this.#errors.set(key, error)
  }

  /** @throws BatchError if a key failed; what `signal` gives as its reason if it is that which ended the batch */
  values(signal?: AbortSignal): unknown[] {
    if (this.#errors.size === 0) return this.#values
    signal?.throwIfAborted()
    throw new BatchError(this.#errors, this.results())
  }

  results(): PromiseSettledResult<unknown>[] {
    return this.#keys.map((key, place) =>
      this.#errors.has(key)
        ? { status: 'rejected', reason: this.#errors.get(key) }
        : { status: 'fulfilled', value: this.#values[place] },
    )
  }
}
