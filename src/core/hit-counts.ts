/** One hit in so many tells how long it took: reading the clock costs more than all else that counting does. */
export const hitSampling = 32

/** Called with the duration of one hit in {@link hitSampling}. */
export type HitSampler = (durationMs: number) => void

/** Hits, counted rather than told one by one: a record for each would cost many times as much. */
export interface HitCounts {
  /** Calls that were answered as the `hit` event says, since counting began. */
  readonly hits: number
  /** Those of them that were answered by a copy in this process. */
  readonly local: number
  /** What the entries of the others measured, encoded. */
  readonly bytes: number
  /** Those of each resource. Hits of none are only in `hits`. */
  readonly byResource: ReadonlyMap<string, number>
}

/** What `countHits` counts in. */
export class HitCounter implements HitCounts {
  hits = 0
  local = 0
  bytes = 0
  readonly byResource: Map<string, number> = new Map()
  readonly #samplers: HitSampler[] = []

  sample(sampler: HitSampler): void {
    this.#samplers.push(sampler)
  }

  countLocal(resource: string | undefined): void {
    this.hits++
    this.local++
    if (resource !== undefined) this.#countResource(resource)
  }

  /** @param clock Asked for one hit in {@link hitSampling} only. */
  count(bytes: number, resource: string | undefined, startedAt: number, clock: { now(): number }): void {
    this.bytes += bytes
    if (resource !== undefined) this.#countResource(resource)
    if (++this.hits % hitSampling !== 0) return
    const durationMs = clock.now() - startedAt
    for (const sampler of this.#samplers) sampler(durationMs)
  }

  #countResource(resource: string): void {
    this.byResource.set(resource, (this.byResource.get(resource) ?? 0) + 1)
  }
}
