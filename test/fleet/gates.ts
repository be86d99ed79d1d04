/** What holds loaders back until the parent says so. */
export class Gates {
  readonly #open = new Set<string>()
  readonly #waiting = new Map<string, (() => void)[]>()

  pass(gate: string): Promise<void> {
    if (this.#open.has(gate)) return Promise.resolve()
    return new Promise(resolve => {
      this.#waiting.set(gate, [...(this.#waiting.get(gate) ?? []), resolve])
    })
  }

  open(gate: string): void {
    this.#open.add(gate)
    for (const resolve of this.#waiting.get(gate) ?? []) resolve()
    this.#waiting.delete(gate)
  }
}
