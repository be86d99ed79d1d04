/** A stretch of time, and the operation that filled it. */
export interface Span {
  readonly began: number
  readonly ended: number
  readonly index: number
}

/**
 * Answers, for many spans, which of those that had ended by some time began last. "Ended before the call, began after the load" is what makes
 * an invalidation forbid an answer, so one look tells whether any of them does.
 */
export class EndedSpans {
  readonly #ends: readonly number[]
  /** At each place, the span that began last of all up to there. */
  readonly #latest: readonly Span[]

  constructor(spans: readonly Span[]) {
    const byEnd = spans.toSorted((a, b) => a.ended - b.ended)
    const latest: Span[] = []
    for (const span of byEnd) {
      const before = latest.at(-1)
      latest.push(before === undefined || span.began > before.began ? span : before)
    }
    this.#ends = byEnd.map(span => span.ended)
    this.#latest = latest
  }

  /** Of the spans that ended before `time`, the one that began last. */
  latestBefore(time: number): Span | undefined {
    return this.#latest[firstNotBelow(this.#ends, time) - 1]
  }
}

/** Answers whether any of many spans overlaps another one. */
export class BegunSpans {
  readonly #begins: readonly number[]
  /** At each place, the latest end of all up to there. */
  readonly #latestEnd: readonly number[]

  constructor(spans: readonly Span[]) {
    const byBegin = spans.toSorted((a, b) => a.began - b.began)
    const latestEnd: number[] = []
    for (const { ended } of byBegin) latestEnd.push(Math.max(ended, latestEnd.at(-1) ?? -Infinity))
    this.#begins = byBegin.map(span => span.began)
    this.#latestEnd = latestEnd
  }

  /** Whether one of them began before `until` and ended after `from`. */
  overlap(from: number, until: number): boolean {
    return (this.#latestEnd[firstNotBelow(this.#begins, until) - 1] ?? -Infinity) > from
  }
}

/** The index of the first of the sorted numbers that is not below `bound`. */
function firstNotBelow(sorted: readonly number[], bound: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < bound) low = middle + 1
    else high = middle
  }
  return low
}
