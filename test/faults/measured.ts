import type { Counts } from '../histories/checker.ts'
import type { History } from '../histories/history.ts'
import { backingOf } from '../histories/operation.ts'

/** `short`: for every test run. `full`: as the table in the docs says. */
export type Size = 'short' | 'full'

/** How often a key was loaded, where the row sets a bound. */
export interface LoadBound {
  readonly when: string
  readonly most: number
  readonly allowed: number
}

/** What a row has shown. */
export interface Measured {
  readonly counts: Readonly<Counts>
  /** Violations in words, what nobody handled, calls that did not settle, expectations that failed. */
  readonly failures: readonly string[]
  readonly loads: readonly LoadBound[]
  /** Reads that rejected, but for a loader that was told to fail. */
  readonly failedReads: number
  /** Errors that callers saw, by operation and code. */
  readonly errors: Readonly<Record<string, number>>
  /** From the end of the fault to the first answer of Redis, in the process that got it last. */
  readonly recoveryMs: number | undefined
  readonly notes: readonly string[]
  /** What went wrong as the docs say it may. */
  readonly notPromised?: string
}

export interface Row {
  readonly name: string
  /** The fault, for people. */
  readonly title: string
  /** What the row's recovery is counted from. */
  readonly recoveredFrom?: string
  run(size: Size): Promise<Measured>
}

/** What does not hold. Milliseconds are measured, not judged. */
export function problemsOf({ counts, failures, loads, failedReads }: Measured): string[] {
  return [
    ...failures,
    ...(counts.violations > 0 ? [`${counts.violations} violations`] : []),
    ...loads
      .filter(({ most, allowed }) => !(most <= allowed))
      .map(({ when, most, allowed }) => `${most} loads of a key ${when}, not ${allowed} at most`),
    ...(failedReads > 0 ? [`${failedReads} reads failed`] : []),
  ]
}

/** How often the key was loaded that was loaded most. */
export function mostLoads(history: History, keys: readonly number[]): number {
  const counts = new Map(keys.map(key => [key, 0]))
  for (let index = 0; index < history.size; index++) {
    const count = counts.get(history.key(index))
    if (history.kind(index) === 'load' && count !== undefined) counts.set(history.key(index), count + 1)
  }
  return Math.max(...counts.values())
}

/** Who loaded a key when, and how its calls were answered: for a key that was loaded too often. */
export function describeLoads(history: History, key: number): string {
  const lines: string[] = []
  const answers = new Map<string, number>()
  let from = Infinity
  for (let index = 0; index < history.size; index++) if (history.key(index) === key) from = Math.min(from, history.began(index))
  for (let index = 0; index < history.size; index++) {
    if (history.key(index) !== key) continue
    const { kind, process, began, ended, outcome } = history.at(index)
    const span = `${(began - from).toFixed(0)} to ${(ended - from).toFixed(0)} ms`
    if (kind === 'load') lines.push(`process ${process} from ${span}`)
    else answers.set(`process ${process} ${kind} ${outcome}`, (answers.get(`process ${process} ${kind} ${outcome}`) ?? 0) + 1)
  }
  const answered = [...answers].map(([answer, count]) => `${answer} × ${count}`)
  return `key ${key} was loaded by ${lines.join(', ')}; answers: ${answered.join(', ')}`
}

/** How long after `mendedAt` the last process got its first answer that Redis vouched for. */
export function recoveryMs(history: History, mendedAt: number, processes: readonly number[]): number {
  const first = new Map<number, number>(processes.map(process => [process, Infinity]))
  for (let index = 0; index < history.size; index++) {
    if (history.began(index) < mendedAt) continue
    const { kind, process, ended, outcome, value } = history.at(index)
    if ((kind !== 'getOrSet' && kind !== 'get') || value === undefined || backingOf(outcome) !== 'vouched') continue
    const before = first.get(process)
    if (before !== undefined && ended < before) first.set(process, ended)
  }
  return Math.max(...first.values()) - mendedAt
}

/** How long the slowest `getOrSet` took. */
export function slowestMs(history: History): number {
  let slowest = 0
  for (let index = 0; index < history.size; index++) {
    if (history.kind(index) === 'getOrSet') slowest = Math.max(slowest, history.ended(index) - history.began(index))
  }
  return slowest
}
