import type { Load } from './schedule.ts'

/** How long the source takes on top of the query itself. */
export interface SourceLatency {
  readonly usualMs: number
  /** Loads that begin in the first `untilMs` of the scene take `latencyMs` instead. */
  readonly slowStart?: { readonly untilMs: number; readonly latencyMs: number }
}

/** A product whose row is updated in the database and whose cache entry is then deleted. */
export interface Edit {
  readonly atMs: number
  readonly product: number
}

export interface Scene {
  readonly name: string
  /** One line for the viewer. */
  readonly what: string
  readonly load: Load
  readonly ttlSeconds: number
  readonly latency: SourceLatency
  /** Products that are in the cache when the scene begins. */
  readonly warm: readonly number[]
  readonly edits: readonly Edit[]
}

const usualMs = 150
const slowMs = 900

/** A call that took at least this long waited for a load: hits take a few milliseconds, loads at least `usualMs`. */
export const waitedAboveMs: number = usualMs / 2

export function scenes(quick: boolean): Scene[] {
  return [coldStart(quick ? 1000 : 3000), hotKeysExpire(quick ? 2200 : 5000), deleteDuringLoad(quick ? 1600 : 3000)]
}

function coldStart(durationMs: number): Scene {
  return {
    name: 'cold start',
    what: 'The cache is empty and all traffic arrives at once.',
    load: { products: 40, perSecond: 1500, durationMs },
    ttlSeconds: 60,
    latency: { usualMs },
    warm: [],
    edits: [],
  }
}

function hotKeysExpire(durationMs: number): Scene {
  const products = 5
  return {
    name: 'hot keys expire',
    what: 'Popular products, each cached for one second at a time.',
    load: { products, perSecond: 1000, durationMs },
    ttlSeconds: 1,
    latency: { usualMs },
    warm: oneTo(products),
    edits: [],
  }
}

function deleteDuringLoad(durationMs: number): Scene {
  const products = 12
  const edited = [1, 2, 3, 4]
  return {
    name: 'delete mid-load',
    what: 'Four products change and are deleted during a slow load of the old row.',
    load: { products, perSecond: 1000, durationMs },
    ttlSeconds: 60,
    latency: { usualMs, slowStart: { untilMs: 60, latencyMs: slowMs } },
    warm: oneTo(products).filter(product => !edited.includes(product)),
    edits: edited.map((product, index) => ({ product, atMs: 120 + index * 20 })),
  }
}

function oneTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}
