import { replyCode } from '../../redis/failures.ts'
import { isLoss, isSilence } from '../connect.ts'
import type { Interruption } from './facts.ts'

/** What is asked of one server, one after the other: once it stops answering, nothing more is asked. */
export class Questions {
  readonly #say: (doing: string) => void
  #doing = 'asking for the time'
  #interruption: Interruption | undefined

  constructor(say: (doing: string) => void) {
    this.#say = say
  }

  /** Set once the server has stopped answering. */
  get interruption(): Interruption | undefined {
    return this.#interruption
  }

  begin(doing: string): void {
    if (this.#interruption !== undefined) return
    this.#doing = doing
    this.#say(doing)
  }

  /** What the server answers, undefined when it refuses or has stopped answering. */
  async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (this.#interruption !== undefined) return undefined
    try {
      return await question()
    } catch (error) {
      if (isSilence(error)) this.#interruption = { doing: this.#doing, how: 'silent' }
      else if (isLoss(error)) this.#interruption = { doing: this.#doing, how: 'lost' }
      else if (replyCode(error) === '') throw error
      return undefined
    }
  }
}
