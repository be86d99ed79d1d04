import type { History } from './history.ts'
import { isBroad, type Backing } from './operation.ts'
import { BegunSpans, EndedSpans, type Span } from './spans.ts'

interface Writes {
  /** Failed ones too: they may have been applied. */
  readonly all: Span[]
  readonly acknowledged: Span[]
  /** Those that leave nothing of the value, not even a stale one. */
  readonly replacing: Span[]
  readonly byProcess: Map<number, Span[]>
}

/** What was done to revoke the values of one key, alone or with others. */
export class Invalidations {
  readonly #vouched: EndedSpans
  readonly #stale: EndedSpans
  readonly #outage: ReadonlyMap<number, EndedSpans>
  readonly #all: BegunSpans
  readonly #acknowledged: readonly Span[]
  readonly #copiesBehindMs: number

  /** @param copiesBehindMs How long a copy may be answered after another process has revoked it. */
  constructor(history: History, indices: readonly number[], copiesBehindMs: number) {
    const { all, acknowledged, replacing, byProcess } = collect(history, indices)
    this.#vouched = new EndedSpans(acknowledged)
    this.#stale = new EndedSpans(replacing)
    this.#outage = new Map([...byProcess].map(([process, spans]) => [process, new EndedSpans(spans)]))
    this.#all = new BegunSpans(all)
    this.#acknowledged = acknowledged
    this.#copiesBehindMs = copiesBehindMs
  }

  /** Whether any ran between the two times. */
  overlap(from: number, until: number): boolean {
    return this.#all.overlap(from, until)
  }

  /** Of those that an answer with that backing, to a call that began at `began`, must respect: the one that was issued last. */
  lastBefore(began: number, backing: Exclude<Backing, 'none'>, process: number): Span | undefined {
    switch (backing) {
      case 'vouched':
        return this.#vouched.latestBefore(began)
      case 'stale':
        return this.#stale.latestBefore(began)
      case 'outage':
        return this.#outage.get(process)?.latestBefore(began)
      case 'copy':
        return later(this.#outage.get(process)?.latestBefore(began), this.#vouched.latestBefore(began - this.#copiesBehindMs))
    }
  }

  /** When the first was acknowledged that was issued after `bornAt`; Infinity if none was. */
  firstAfter(bornAt: number): number {
    return this.#acknowledged.reduce((first, { began, ended }) => (began > bornAt ? Math.min(first, ended) : first), Infinity)
  }
}

function later(one: Span | undefined, other: Span | undefined): Span | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.began > other.began ? one : other
}

function collect(history: History, indices: readonly number[]): Writes {
  const writes: Writes = { all: [], acknowledged: [], replacing: [], byProcess: new Map() }
  for (const index of indices) {
    const kind = history.kind(index)
    if (kind !== 'set' && kind !== 'delete' && kind !== 'expire' && !isBroad(kind)) continue
    const { began, ended, outcome, process } = history.at(index)
    const span = { began, ended, index }
    writes.all.push(span)
    if (outcome !== 'acknowledged') continue
    writes.acknowledged.push(span)
    if (kind !== 'expire') writes.replacing.push(span)
    const own = writes.byProcess.get(process)
    if (own === undefined) writes.byProcess.set(process, [span])
    else own.push(span)
  }
  return writes
}
