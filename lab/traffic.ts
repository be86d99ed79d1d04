import { seededRandom } from '../demo/schedule.ts'

export interface Edit {
  readonly atMs: number
  readonly product: number
}

export interface Traffic {
  readonly perSecond: number
  readonly durationMs: number
  readonly products: number
  readonly skew: number
  readonly churn: number
  readonly writes: number
  readonly burst?: { readonly fromMs: number; readonly untilMs: number; readonly factor: number }
  /** Changes at set moments, on top. */
  readonly edits?: readonly Edit[]
  /** Products come in one after the other over the whole time, the popular ones no earlier than others. */
  readonly entering?: boolean
}

/** Which product is asked for or changed, and when, counted from the start. In the order of time. */
export interface Arrivals {
  readonly atMs: Float64Array
  readonly product: Uint32Array
  /** 1: changes and invalidates the product, 0: reads it. */
  readonly write: Uint8Array
}

/** Products besides those asked for at first, which come into fashion by churn. */
export function productsInAll(products: number): number {
  return products * 4
}

/** Every request of a run, fixed in advance and the same for the same seed: none waits for the answer to an earlier one. */
export function arrivalsOf(traffic: Traffic, seed: number): Arrivals {
  const random = seededRandom(seed)
  const popularity = cumulativeZipf(traffic.products, traffic.skew)
  const fashion = new Fashion(traffic, seededRandom(seed + 1))
  const entersAtMs = traffic.entering === true ? shuffledMoments(traffic, seededRandom(seed + 2)) : undefined
  const found: { atMs: number; product: number; write: number }[] = (traffic.edits ?? []).map(edit => ({ ...edit, write: 1 }))
  for (let atMs = gap(traffic, 0, random); atMs < traffic.durationMs; atMs += gap(traffic, atMs, random)) {
    const rank = rankAt(popularity, random())
    const any = 1 + Math.floor(random() * productsInAll(traffic.products))
    if (random() < traffic.writes) found.push({ atMs, product: any, write: 1 })
    else if (entersAtMs === undefined || atMs >= (entersAtMs[rank] ?? 0))
      found.push({ atMs, product: fashion.productAt(rank, atMs), write: 0 })
  }
  found.sort((a, b) => a.atMs - b.atMs)
  return {
    atMs: Float64Array.from(found, arrival => arrival.atMs),
    product: Uint32Array.from(found, arrival => arrival.product),
    write: Uint8Array.from(found, arrival => arrival.write),
  }
}

/** Which arrivals fall to one of several generators. */
export function shareOf(arrivals: Arrivals, index: number, of: number): Arrivals {
  const mine = (_: number, arrival: number): boolean => arrival % of === index
  return { atMs: arrivals.atMs.filter(mine), product: arrivals.product.filter(mine), write: arrivals.write.filter(mine) }
}

/** Poisson arrivals at the rate of that moment. */
function gap({ perSecond, burst }: Traffic, atMs: number, random: () => number): number {
  const factor = burst !== undefined && atMs >= burst.fromMs && atMs < burst.untilMs ? burst.factor : 1
  return (-Math.log(1 - random()) * 1000) / (perSecond * factor)
}

function cumulativeZipf(products: number, skew: number): Float64Array {
  const weights = Array.from({ length: products }, (_, index) => (index + 1) ** -skew)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let running = 0
  return Float64Array.from(weights, weight => (running += weight / total))
}

function rankAt(cumulative: Float64Array, pick: number): number {
  let low = 0
  let high = cumulative.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (pick < (cumulative[middle] ?? 1)) high = middle
    else low = middle + 1
  }
  return low
}

/** Which product has which rank of popularity. Now and then one goes out of fashion and another takes its place. */
class Fashion {
  readonly #products: number[]
  readonly #others: number[]
  readonly #everyMs: number
  readonly #random: () => number
  #nextAtMs: number

  constructor({ products, churn }: Traffic, random: () => number) {
    this.#products = Array.from({ length: products }, (_, rank) => rank + 1)
    this.#others = Array.from({ length: productsInAll(products) - products }, (_, index) => products + index + 1)
    this.#everyMs = churn === 0 ? Infinity : 1000 / (churn * products)
    this.#nextAtMs = this.#everyMs
    this.#random = random
  }

  productAt(rank: number, atMs: number): number {
    for (; this.#nextAtMs <= atMs; this.#nextAtMs += this.#everyMs) {
      const out = Math.floor(this.#random() * this.#products.length)
      const replacement = this.#others.shift()
      if (replacement === undefined) break
      this.#others.push(this.#products[out] ?? 1)
      this.#products[out] = replacement
    }
    return this.#products[rank] ?? 1
  }
}

function shuffledMoments({ products, durationMs }: Traffic, random: () => number): number[] {
  const moments = Array.from({ length: products }, (_, index) => (index / products) * durationMs)
  for (let last = moments.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const swapped = moments[last] ?? 0
    moments[last] = moments[other] ?? 0
    moments[other] = swapped
  }
  return moments
}
