/** The four Redis commands of cache-aside, in this process: for the demo without Redis. */
export class MemoryStrings {
  readonly #entries = new Map<string, { readonly text: string; readonly expiresAt: number }>()

  async get(key: string): Promise<string | null> {
    const entry = this.#entries.get(key)
    return entry !== undefined && performance.now() < entry.expiresAt ? entry.text : null
  }

  async set(key: string, text: string, _unit: 'EX', seconds: number): Promise<void> {
    this.#entries.set(key, { text, expiresAt: performance.now() + seconds * 1000 })
  }

  async del(key: string): Promise<void> {
    this.#entries.delete(key)
  }

  async quit(): Promise<void> {
    this.#entries.clear()
  }
}
