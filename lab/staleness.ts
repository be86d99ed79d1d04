import type { TrafficRecord } from './messages.ts'

/** Writes of one product in the order of their acknowledgement, each with the newest version acknowledged by then. */
interface Acknowledged {
  readonly atMs: number[]
  readonly version: number[]
}

/** One stale answer, for whoever looks for its cause. */
export interface StaleAnswer {
  readonly product: number
  readonly askedMs: number
  /** How long before the question the write was acknowledged that it should have shown. */
  readonly sinceMs: number
  readonly version: number
}

const mostExamples = 10

/** An answer is stale when a write acknowledged before the question was asked had already replaced the row. */
export function staleAnswers(
  records: readonly Pick<TrafficRecord, 'askedMs' | 'doneMs' | 'product' | 'write' | 'version' | 'deferred'>[],
): {
  stale: number
  oldestStaleMs: number
  /** The first ones that were found. */
  examples: readonly StaleAnswer[]
} {
  const writes = acknowledgedWrites(records)
  let stale = 0
  let oldestStaleMs = 0
  const examples: StaleAnswer[] = []
  for (const { askedMs, product, write, version } of records) {
    for (let row = 0; row < askedMs.length; row++) {
      const answered = version[row] ?? 0
      if (write[row] === 1 || answered === 0) continue
      const replacedAtMs = firstNewer(writes.get(product[row] ?? 0), answered)
      const sinceMs = (askedMs[row] ?? 0) - replacedAtMs
      if (sinceMs < 0) continue
      stale++
      if (examples.length < mostExamples)
        examples.push({ product: product[row] ?? 0, askedMs: askedMs[row] ?? 0, sinceMs, version: answered })
      oldestStaleMs = Math.max(oldestStaleMs, sinceMs)
    }
  }
  return { stale, oldestStaleMs, examples }
}

/** When the first write with a newer version than `answered` was acknowledged. */
function firstNewer(writes: Acknowledged | undefined, answered: number): number {
  const index = writes?.version.findIndex(version => version > answered) ?? -1
  return index === -1 ? Infinity : (writes?.atMs[index] ?? Infinity)
}

function acknowledgedWrites(records: Parameters<typeof staleAnswers>[0]): Map<number, Acknowledged> {
  const all = records
    .flatMap(({ doneMs, product, write, version, deferred }) =>
      [...write].flatMap((isWrite, row) =>
        isWrite === 1 && version[row] !== 0 && deferred[row] === 0
          ? [{ atMs: doneMs[row] ?? 0, product: product[row] ?? 0, version: version[row] ?? 0 }]
          : [],
      ),
    )
    .toSorted((a, b) => a.atMs - b.atMs)
  const writes = new Map<number, Acknowledged>()
  for (const { atMs, product, version } of all) {
    const known = writes.get(product) ?? { atMs: [], version: [] }
    const newest = known.version.at(-1) ?? 0
    if (version > newest) {
      known.atMs.push(atMs)
      known.version.push(version)
    }
    writes.set(product, known)
  }
  return writes
}
