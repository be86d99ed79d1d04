const bars = ' ▁▂▃▄▅▆▇█'

/** How often something happened along a stretch of time, drawn in one line of `width` characters. */
export class Sparkline {
  readonly #buckets: number[]
  readonly #durationMs: number

  constructor(width: number, durationMs: number) {
    this.#buckets = Array.from({ length: width }, () => 0)
    this.#durationMs = durationMs
  }

  get highest(): number {
    return Math.max(...this.#buckets)
  }

  /** Spreads what happened between two moments evenly over the time between them. */
  add(happened: number, fromMs: number, toMs: number): void {
    const first = this.#bucketAt(fromMs)
    const last = Math.max(first, this.#bucketAt(toMs - 1))
    for (let bucket = first; bucket <= last; bucket++) {
      this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + happened / (last - first + 1)
    }
  }

  #bucketAt(ms: number): number {
    const last = this.#buckets.length - 1
    return Math.max(0, Math.min(last, Math.floor((ms / this.#durationMs) * this.#buckets.length)))
  }

  /** `scale` is what a full bar stands for; anything at all is at least the lowest bar. */
  draw(scale: number): string {
    return this.#buckets
      .map(bucket => bars[bucket === 0 ? 0 : Math.max(1, Math.min(8, Math.round((bucket / scale) * 8)))])
      .join('')
  }
}
