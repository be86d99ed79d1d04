const buckets = 4096

/**
 * Which keys have changed since when, in constant memory: keys share buckets, so a key may seem changed when only its neighbour was. Positions
 * count changes as they are heard; a copy may be filled from an answer only if its key has not changed since the question was sent.
 */
export class ChangeLog {
  readonly #changedAt = new Float64Array(buckets)
  #allChangedAt = 0
  #position = 0

  /** The present, to be taken before a question is sent. */
  get position(): number {
    return this.#position
  }

  note(key: string): void {
    this.#changedAt[bucketOf(key)] = ++this.#position
  }

  noteAll(): void {
    this.#allChangedAt = ++this.#position
  }

  /** Something changed that is no key's own. @returns its position */
  advance(): number {
    return ++this.#position
  }

  changedSince(key: string, position: number): boolean {
    return this.#allChangedAt > position || (this.#changedAt[bucketOf(key)] as number) > position
  }
}

/** FNV-1a (Fowler, Noll, Vo), folded. */
function bucketOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 16)) & (buckets - 1)
}
