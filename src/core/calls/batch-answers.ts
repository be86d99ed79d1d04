import { BatchError } from '../errors.ts'

/** What became of the keys of a batch: each key once, however often it was asked for. */
export class BatchAnswers {
  readonly #keys: readonly string[]
  readonly #values = new Map<string, unknown>()
  readonly #errors = new Map<string, unknown>()

  /** @param keys In the order in which they were asked for, with what is there twice. */
  constructor(keys: readonly string[]) {
    this.#keys = keys
  }

  answer(key: string, value: unknown): void {
    this.#values.set(key, value)
  }

  fail(key: string, error: unknown): void {
    this.#errors.set(key, error)
  }

  /** @throws BatchError if a key failed; what `signal` gives as its reason if it is that which ended the batch */
  values(signal?: AbortSignal): unknown[] {
    if (this.#errors.size === 0) return this.#keys.map(key => this.#values.get(key))
    signal?.throwIfAborted()
    throw new BatchError(this.#errors, this.results())
  }

  results(): PromiseSettledResult<unknown>[] {
    return this.#keys.map(key =>
      this.#errors.has(key)
        ? { status: 'rejected', reason: this.#errors.get(key) }
        : { status: 'fulfilled', value: this.#values.get(key) },
    )
  }
}
