/** Which product is asked for, and when, counted from the start of the scene. */
export interface Arrival {
  readonly atMs: number
  readonly product: number
}

export interface Load {
  readonly products: number
  readonly perSecond: number
  readonly durationMs: number
}

/**
 * Every arrival of a scene, the same for the same seed: arrivals come at random moments (Poisson) and do not wait for earlier
 * answers, and the n-th most popular product is asked for 1/n as often as the first (Zipf).
 */
export function schedule(load: Load, seed: number): Arrival[] {
  const random = seededRandom(seed)
  const cumulative = zipf(load.products)
  const arrivals: Arrival[] = []
  const meanGapMs = 1000 / load.perSecond
  let atMs = 0
  for (;;) {
    atMs += -Math.log(1 - random()) * meanGapMs
    if (atMs >= load.durationMs) return arrivals
    const pick = random()
    const product = 1 + cumulative.findIndex(share => pick < share)
    arrivals.push({ atMs, product })
  }
}

function zipf(products: number): number[] {
  const weights = Array.from({ length: products }, (_, index) => 1 / (index + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let running = 0
  const cumulative = weights.map(weight => (running += weight / total))
  cumulative[products - 1] = 1
  return cumulative
}

/** Mulberry32: small, and good enough to choose products with. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
