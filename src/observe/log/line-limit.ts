interface Second {
  startedAt: number
  lines: number
  suppressed: number
}

/** Lets so many lines of a kind through per second, and counts the rest. */
export class LineLimit {
  readonly #most: number
  readonly #seconds: Map<string, Second> = new Map()

  constructor(most: number) {
    this.#most = most
  }

  /** How many lines of this kind were left out since the last one, or undefined if this one is to be left out too. */
  admit(kind: string, atMs: number): number | undefined {
    let second = this.#seconds.get(kind)
    if (second === undefined) this.#seconds.set(kind, (second = { startedAt: atMs, lines: 0, suppressed: 0 }))
    // A clock that was set back begins a new second too.
    if (Math.abs(atMs - second.startedAt) >= 1000) Object.assign(second, { startedAt: atMs, lines: 0 })
    if (second.lines >= this.#most) {
      second.suppressed++
      return undefined
    }
    second.lines++
    const { suppressed } = second
    second.suppressed = 0
    return suppressed
  }
}
