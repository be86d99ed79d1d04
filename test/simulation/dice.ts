import type { Random } from '../../src/index.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'

/** Repeatable choices. */
export class Dice {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  chance(share: number): boolean {
    return this.#random.next() < share
  }

  between(low: number, high: number): number {
    return low + this.#random.next() * (high - low)
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#random.next() * (high - low + 1))
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#random.next() * values.length)] as Value
  }

  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[]
    let left = this.#random.next() * names.reduce((sum, name) => sum + weights[name], 0)
    for (const name of names) if ((left -= weights[name]) < 0) return name
    return names.at(-1) as Name
  }
}

/** Mixes words into 32 bits: the fate of one message must not depend on how many others were sent before it. */
export function mix(...words: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const word of words) {
    hash = Math.imul(hash ^ (word | 0) ^ Math.imul(Math.floor(word / 2 ** 32), 0x27d4eb2f), 0x21f0aaad)
    hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97)
    hash ^= hash >>> 15
  }
  return hash >>> 0
}
