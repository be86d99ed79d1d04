import type { Cache, CacheEventName, CacheEvents } from '../../src/index.ts'

const eventNames: readonly CacheEventName[] = [
  'hit',
  'miss',
  'stale',
  'wait',
  'load',
  'commit',
  'lost',
  'refresh',
  'set',
  'invalidate',
  'decode-error',
  'store-error',
  'connection',
]

/** Counts a cache's status records: `hit`, `miss:loaded`, `commit:lost`, `store-error:acquire`, … */
export class EventTally {
  /** The parts, `store` and `bus`, that came up at some time. */
  readonly standing: Set<string> = new Set()
  #counts: Record<string, number> = {}

  constructor(cache: Cache) {
    for (const name of eventNames) cache.on(name, record => this.#count(name, record))
  }

  /** The counts since the last time. */
  take(): Record<string, number> {
    const taken = this.#counts
    this.#counts = {}
    return taken
  }

  #count<Name extends CacheEventName>(name: Name, record: CacheEvents[Name]): void {
    if ('part' in record && record.state === 'up') this.standing.add(record.part)
    const detail = 'outcome' in record && 'command' in record ? record.command : 'outcome' in record ? record.outcome : undefined
    const id = detail === undefined ? name : `${name}:${detail}`
    this.#counts[id] = (this.#counts[id] ?? 0) + 1
  }
}

/** Adds the counts of `more` to `sums`. */
export function addCounts(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count
}
