import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contender.ts'
import type { AcknowledgedDelete, Answer, Counts, Share, ShareResult } from './messages.ts'
import type { Products } from './products.ts'
import { sharedNow } from './shared-clock.ts'

/** One worker's part of a scene: each call starts when it is due, whether or not earlier ones were answered. */
export class ShareRun {
  readonly #contender: Contender
  readonly #products: Products
  readonly #share: Share
  readonly #startAt: number
  readonly #editedProducts: ReadonlySet<number>
  readonly #latenciesMs: number[] = []
  readonly #answers: Answer[] = []
  readonly #deletes: AcknowledgedDelete[] = []
  #requests = 0
  #failures = 0
  #firstFailure: string | undefined

  constructor(contender: Contender, products: Products, share: Share, editedProducts: readonly number[], startAt: number) {
    this.#contender = contender
    this.#products = products
    this.#share = share
    this.#editedProducts = new Set(editedProducts)
    this.#startAt = startAt
  }

  get counts(): Counts {
    return { requests: this.#requests, answered: this.#latenciesMs.length, queries: this.#products.queries }
  }

  async run(): Promise<ShareResult> {
    const calls: Promise<void>[] = this.#share.edits.map(edit => this.#edit(edit.product, this.#startAt + edit.atMs))
    for (const arrival of this.#share.arrivals) {
      const dueAt = this.#startAt + arrival.atMs
      const waitMs = dueAt - sharedNow()
      if (waitMs > 0) await sleep(waitMs)
      calls.push(this.#read(arrival.product, dueAt))
    }
    await Promise.all(calls)
    return {
      latenciesMs: Float64Array.from(this.#latenciesMs),
      queries: this.#products.queries,
      failures: this.#failures,
      firstFailure: this.#firstFailure,
      answers: this.#answers,
      deletes: this.#deletes,
    }
  }

  async #read(product: number, dueAt: number): Promise<void> {
    this.#requests++
    const askedAt = sharedNow()
    try {
      const { version } = await this.#contender.read(product)
      // A call that started late, because the process was busy, has waited since it was due; a timer may also fire a little early.
      this.#latenciesMs.push(sharedNow() - Math.min(dueAt, askedAt))
      if (this.#editedProducts.has(product)) this.#answers.push({ product, askedAt, version })
    } catch (error) {
      this.#fail(error)
    }
  }

  async #edit(product: number, dueAt: number): Promise<void> {
    await sleep(Math.max(0, dueAt - sharedNow()))
    try {
      const version = await this.#products.edit(product)
      await this.#contender.remove(product)
      this.#deletes.push({ product, acknowledgedAt: sharedNow(), version })
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failures++
    this.#firstFailure ??= String(error)
  }
}
