import { explain } from './explain.ts'
import type { History } from './history.ts'
import { Invalidations } from './invalidations.ts'
import { backingOf, isBroad, type Operation, type Origin } from './operation.ts'
import { BegunSpans } from './spans.ts'

/** A read that got what it must not get. */
export interface Violation {
  readonly read: Operation
  /** What had revoked the value; undefined when the answer was the value of another key. */
  readonly revokedBy: Operation | undefined
  /** What happened, in words, with the operations around it. */
  readonly text: string
}

export interface Counts {
  /** Calls: reads and invalidations. */
  operations: number
  reads: number
  failedReads: number
  /** Reads by what stood behind their answer. */
  vouched: number
  stale: number
  outage: number
  copy: number
  none: number
  invalidations: number
  /** Of which the tags and clears, each of which is one of many keys. */
  broadInvalidations: number
  /** Of which the caller was told that they may not have been applied. */
  failedInvalidations: number
  loads: number
  /** Reads that ran while an invalidation of their key did. */
  readsOverlapping: number
  loadsOverlapping: number
  /** Reads that began after an invalidation was acknowledged and while a load that it revoked was still running: the ones to get wrong. */
  readsBesideRevokedLoads: number
  /** Answers that come from a `set` of which nothing is known but its value, as its process died. */
  unjudged: number
  /** Answers by copies that another process had revoked. */
  copiesBehind: number
  /** For how long at worst. */
  mostBehindMs: number
  violations: number
}

export interface Findings {
  readonly counts: Readonly<Counts>
  /** The first ones, explained. */
  readonly violations: readonly Violation[]
}

const mostExplained = 10

/**
 * Finds every read that broke the promise about revoked values: a read that began after an invalidation was acknowledged, answered with a value
 * whose load had begun before that invalidation was issued. Times are taken before each call and after its end, so nothing is reported that was
 * in order, whatever the processes' scheduling. An answer by a copy in the process may be behind what other processes revoked, but not for longer than it is allowed.
 *
 * @param first Operations before this index are of an earlier part of the history: known, but neither checked nor counted again.
 * @param copiesBehindMs How long after another process's invalidation was acknowledged a copy may be answered. Whoever says so has added what the processes may be late to
 *   look at their clocks.
 */
export function checkHistory(history: History, first: number = 0, copiesBehindMs: number = 0): Findings {
  const check = new Check(history, copiesBehindMs)
  const broad = history.broadIndices()
  for (const [key, indices] of history.indicesByKey()) {
    check.key(
      indices,
      broad.filter(index => history.concerns(index, key)),
      first,
    )
  }
  check.broad(broad, first)
  return check
}

class Check implements Findings {
  readonly counts: Counts = {
    operations: 0,
    reads: 0,
    failedReads: 0,
    vouched: 0,
    stale: 0,
    outage: 0,
    copy: 0,
    none: 0,
    invalidations: 0,
    broadInvalidations: 0,
    failedInvalidations: 0,
    loads: 0,
    readsOverlapping: 0,
    loadsOverlapping: 0,
    readsBesideRevokedLoads: 0,
    unjudged: 0,
    copiesBehind: 0,
    mostBehindMs: 0,
    violations: 0,
  }
  readonly violations: Violation[] = []
  readonly #history: History
  readonly #settled: ReadonlyMap<string, number>
  readonly #copiesBehindMs: number

  constructor(history: History, copiesBehindMs: number) {
    this.#history = history
    this.#copiesBehindMs = copiesBehindMs
    this.#settled = settlingTimes(history)
  }

  /** @param broad What was done to the key together with others. */
  key(indices: readonly number[], broad: readonly number[], first: number): void {
    const history = this.#history
    const invalidations = new Invalidations(history, [...indices, ...broad], this.#copiesBehindMs)
    const loads = new BegunSpans(
      indices
        .filter(index => history.kind(index) === 'load')
        .map(index => ({ began: history.began(index), ended: history.ended(index), index })),
    )
    for (const index of indices) if (index >= first) this.#operation(history.at(index), invalidations, loads)
  }

  /** Counts what was done to many keys at once, each once. */
  broad(indices: readonly number[], first: number): void {
    for (const index of indices) if (index >= first) this.#invalidation(this.#history.at(index))
  }

  #invalidation({ kind, outcome }: Operation): void {
    const { counts } = this
    counts.operations++
    counts.invalidations++
    if (isBroad(kind)) counts.broadInvalidations++
    if (outcome !== 'acknowledged') counts.failedInvalidations++
  }

  #operation(operation: Operation, invalidations: Invalidations, loads: BegunSpans): void {
    const { counts } = this
    const overlaps = invalidations.overlap(operation.began, operation.ended)
    switch (operation.kind) {
      case 'load':
        counts.loads++
        if (overlaps) counts.loadsOverlapping++
        break
      case 'set':
      case 'delete':
      case 'expire':
      case 'invalidateTags':
      case 'clear':
        this.#invalidation(operation)
        break
      case 'get':
      case 'getOrSet': {
        counts.operations++
        counts.reads++
        if (overlaps) counts.readsOverlapping++
        if (operation.outcome === 'failed' || operation.outcome === 'source-failed') counts.failedReads++
        const last = invalidations.lastBefore(operation.began, 'vouched', operation.process)
        if (last !== undefined && loads.overlap(operation.began, last.began)) counts.readsBesideRevokedLoads++
        this.#answer(operation, invalidations)
      }
    }
  }

  #answer(read: Operation, invalidations: Invalidations): void {
    if (read.outcome === 'foreign') return this.#violate(read, undefined)
    const backing = read.value === undefined ? 'none' : backingOf(read.outcome)
    this.counts[backing]++
    if (backing === 'none' || read.value === undefined) return
    const bornAt = this.#bornAt(read.value)
    if (bornAt === undefined) {
      this.counts.unjudged++
      return
    }
    if (backing === 'copy') this.#measure(read.began - invalidations.firstAfter(bornAt))
    const revoking = invalidations.lastBefore(read.began, backing, read.process)
    if (revoking !== undefined && bornAt < revoking.began) this.#violate(read, this.#history.at(revoking.index))
  }

  /**
   * An invalidation that begins later than this revokes the value. A `set` may take effect until it has settled, whatever it told its caller.
   * Undefined for one that is not in the history.
   */
  #bornAt({ kind, process, id, began }: Origin): number | undefined {
    return kind === 'load' ? began : this.#settled.get(`${process} ${id}`)
  }

  #measure(behindMs: number): void {
    if (behindMs <= 0) return
    this.counts.copiesBehind++
    this.counts.mostBehindMs = Math.max(this.counts.mostBehindMs, behindMs)
  }

  #violate(read: Operation, revokedBy: Operation | undefined): void {
    this.counts.violations++
    if (this.violations.length >= mostExplained) return
    this.violations.push({ read, revokedBy, text: explain(this.#history, read, revokedBy, this.#copiesBehindMs) })
  }
}

function settlingTimes(history: History): ReadonlyMap<string, number> {
  const settled = new Map<string, number>()
  for (let index = 0; index < history.size; index++) {
    if (history.kind(index) !== 'set') continue
    const { process, id, ended } = history.at(index)
    settled.set(`${process} ${id}`, ended)
  }
  return settled
}
