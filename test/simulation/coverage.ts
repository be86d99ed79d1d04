import { expectedNames } from './expected-coverage.ts'

/** How often each thing was reached. */
export class Coverage {
  readonly counts: Map<string, number> = new Map()
  readonly longest: Map<string, number> = new Map()

  count(name: string, times = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + times)
  }

  /** Keeps the largest of what it is told. */
  measure(name: string, value: number): void {
    if (value > (this.longest.get(name) ?? -Infinity)) this.longest.set(name, value)
  }

  add(other: {
    readonly counts: Iterable<readonly [string, number]>
    readonly longest: Iterable<readonly [string, number]>
  }): void {
    for (const [name, times] of other.counts) this.count(name, times)
    for (const [name, value] of other.longest) this.measure(name, value)
  }

  /** What should have been reached and was not. */
  missing(): string[] {
    return expectedNames.filter(name => !this.counts.has(name))
  }

  report(): string {
    const rows = [...new Set([...expectedNames, ...this.counts.keys()])].toSorted()
    const lines = rows.map(name => `${String(this.counts.get(name) ?? 0).padStart(11)}  ${name}`)
    for (const [name, value] of [...this.longest].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      lines.push(`${value.toFixed(1).padStart(11)}  ${name}`)
    return lines.join('\n')
  }
}
