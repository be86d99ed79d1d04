import { describeValue } from '../describe-value.ts'

/** Decides which keys go through the cache: a stable share of them, and none while it is switched off. */
export class Rollout {
  readonly #share: number
  readonly #salt: string
  readonly #enabled: (() => boolean) | undefined
  #warned = false

  /** @param salt What keys are mixed with, so that two caches take different ones. */
  constructor(share: number, salt: string, enabled: (() => boolean) | undefined) {
    this.#share = share
    this.#salt = salt
    this.#enabled = enabled
  }

  takes(key: string): boolean {
    return this.#isEnabled() && (this.#share === 1 || hashOf(`${this.#salt} ${key}`) < this.#share)
  }

  /** A switch that throws, or says neither, leaves the cache on: it was on when it was deployed. */
  #isEnabled(): boolean {
    if (this.#enabled === undefined) return true
    try {
      const answer: unknown = this.#enabled()
      if (typeof answer === 'boolean') return answer
      if (answer instanceof Promise) answer.catch(() => {})
      this.#warn(`must return true or false; it returned ${describeValue(answer)}`)
    } catch (error) {
      this.#warn(`threw: ${String(error)}`)
    }
    return true
  }

  #warn(what: string): void {
    if (this.#warned) return
    this.#warned = true
    process.emitWarning(`the option enabled ${what}: the cache stays on`, 'LeaseholdWarning')
  }
}

/** FNV-1a, mixed once more so that keys which differ in their last character alone fall far apart. From 0 to below 1. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
