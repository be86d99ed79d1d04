import type { LoadedMany, LoadMany, LoadManyContext } from '../../../src/core/flights/load-batch.ts'
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { sleep } from '../engine/stage.ts'

/** A source of many keys at once: each call is noted and answers `<key> #<how manyth call>`. */
export class ManySource {
  readonly #clock: VirtualClock
  readonly asked: (readonly string[])[] = []
  readonly contexts: LoadManyContext[] = []

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  takes(ms: number): LoadMany<string> {
    return this.#noted(async (keys, nth) => {
      await sleep(this.#clock, ms)
      return keys.map(key => `${key} #${nth}`)
    })
  }

  fails(ms: number, error: unknown = new Error('the source is down')): LoadMany<string> {
    return this.#noted(async () => {
      await sleep(this.#clock, ms)
      throw error
    })
  }

  /** Answers at once with what `load` makes of the keys. */
  gives<Value>(load: (keys: readonly string[], context: LoadManyContext) => LoadedMany<Value>): LoadMany<Value> {
    return this.#noted(async (keys, _, context) => load(keys, context))
  }

  #noted<Value>(
    load: (keys: readonly string[], nth: number, context: LoadManyContext) => Promise<LoadedMany<Value>>,
  ): LoadMany<Value> {
    return (keys, context) => {
      const nth = this.asked.push(keys)
      this.contexts.push(context)
      return load(keys, nth, context)
    }
  }
}

export function keysOf(count: number, prefix = 'k'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`)
}
