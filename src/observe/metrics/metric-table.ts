import type { MetricDefinition } from './definitions.ts'

export type Labels = Readonly<Record<string, string>>

/** What a histogram has seen. */
export interface Distribution {
  /** How many fell into each bucket, not summed up; the last one has no upper bound. */
  readonly counts: Float64Array
  sum: number
}

/** One series: its labels, and its value or distribution. */
export interface Series {
  readonly labels: Labels
  value: number
  readonly distribution: Distribution | undefined
}

/** The series of one metric of one cache. All of them exist, at 0, from the moment their resource is known. */
export class MetricTable {
  readonly definition: MetricDefinition
  readonly #cache: string
  /** By resource, then by the choice's place. */
  readonly #series: Map<string, readonly Series[]> = new Map()
  readonly #places: ReadonlyMap<string, number>

  constructor(definition: MetricDefinition, cache: string) {
    this.definition = definition
    this.#cache = cache
    this.#places = new Map((definition.choice?.values ?? ['']).map((value, place) => [value, place]))
    this.declare('')
  }

  declare(resource: string): void {
    const { perResource, choice } = this.definition
    const key = perResource === true ? resource : ''
    if (this.#series.has(key)) return
    const common: Labels = { cache: this.#cache, ...(perResource === true ? { resource: key } : {}) }
    const labels = choice === undefined ? [common] : choice.values.map(value => ({ ...common, [choice.label]: value }))
    this.#series.set(
      key,
      labels.map(each => ({ labels: each, value: 0, distribution: this.#emptyDistribution() })),
    )
  }

  /** Unknown choices are a later release's: they are not counted, so that no series appears that was not declared. */
  at(resource: string | undefined, choice: string = ''): Series | undefined {
    const key = this.definition.perResource === true ? (resource ?? '') : ''
    const place = this.#places.get(choice)
    if (place === undefined) return undefined
    if (!this.#series.has(key)) this.declare(key)
    return this.#series.get(key)?.[place]
  }

  *all(): Iterable<Series> {
    for (const series of this.#series.values()) yield* series
  }

  #emptyDistribution(): Distribution | undefined {
    const { buckets } = this.definition
    return buckets === undefined ? undefined : { counts: new Float64Array(buckets.length + 1), sum: 0 }
  }
}

/** @param weight How many times it counts: a value sampled from so many stands for all of them. */
export function observe(distribution: Distribution, buckets: readonly number[], value: number, weight: number): void {
  let place = 0
  while (place < buckets.length && value > (buckets[place] as number)) place++
  distribution.counts[place] = (distribution.counts[place] as number) + weight
  distribution.sum += value * weight
}
