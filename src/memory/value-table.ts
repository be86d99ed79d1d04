import { LRUCache } from 'lru-cache'

interface StoredValue {
  readonly bytes: Buffer
  readonly expiresAt: number
}

export interface ValueLimits {
  /** What keys and values may take in memory together. */
  readonly maxBytes: number
  readonly maxEntries: number | undefined
}

/** About what one entry costs beside its bytes: objects, links, the slot in the map. */
const overheadBytes = 256
const sweptPerWrite = 4

/** Values with a lifetime, the least recently used of which give way when memory is short. */
export class ValueTable {
  readonly #values: LRUCache<string, StoredValue>
  readonly #maxBytes: number
  #sweep: Iterator<string>

  constructor(limits: ValueLimits) {
    this.#maxBytes = limits.maxBytes
    this.#values = new LRUCache({
      maxSize: limits.maxBytes,
      ...(limits.maxEntries === undefined ? {} : { max: limits.maxEntries }),
      sizeCalculation: (value, id) => sizeOf(id, value.bytes),
    })
    this.#sweep = this.#values.rkeys()
  }

  get size(): number {
    return this.#values.size
  }

  /** The bytes themselves: whoever hands them on copies them. */
  get(id: string, now: number): Buffer | undefined {
    const value = this.#values.get(id)
    if (value === undefined) return undefined
    if (now < value.expiresAt) return value.bytes
    this.#values.delete(id)
    return undefined
  }

  /** Keeps a copy. False, and nothing changed, when it is too large to keep at all. */
  set(id: string, bytes: Buffer, keepMs: number, now: number): boolean {
    this.#sweepSome(now)
    if (sizeOf(id, bytes) > this.#maxBytes) return false
    this.#values.set(id, { bytes: copyOf(bytes), expiresAt: now + Math.max(1, Math.ceil(keepMs)) })
    return true
  }

  delete(id: string): void {
    this.#values.delete(id)
  }

  /** Looks at a few entries, the oldest first, so that values nobody asks for again do not stay until memory is short. */
  #sweepSome(now: number): void {
    for (let left = sweptPerWrite; left > 0; left--) {
      const step = this.#sweep.next()
      if (step.done === true) {
        this.#sweep = this.#values.rkeys()
        return
      }
      const value = this.#values.peek(step.value)
      if (value !== undefined && now >= value.expiresAt) this.#values.delete(step.value)
    }
  }
}

function sizeOf(id: string, bytes: Buffer): number {
  return bytes.length + 2 * id.length + overheadBytes
}

/** Not from Node's pool, where a small value would keep the memory of its neighbours alive. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
