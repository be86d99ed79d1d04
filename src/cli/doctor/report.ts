import type { Console, Style } from '../console.ts'
import { plural } from '../quantities.ts'
import { wrap } from '../table.ts'
import type { CheckedFinding, State } from './finding.ts'

const marks: Readonly<Record<State, readonly [mark: string, style: Style]>> = {
  ok: ['ok', 'green'],
  info: ['info', 'cyan'],
  warning: ['warning', 'yellow'],
  problem: ['PROBLEM', ['red', 'bold']],
  unknown: ['unknown', 'dim'],
}
const nameWidth = 22
const markWidth = 8
const widest = 118

/** One paragraph per finding: what was found; unless all is well, why it matters and the fix. */
export function printReport(console: Console, label: string, server: string, findings: readonly CheckedFinding[]): void {
  const { paint } = console
  const width = Math.min(widest, console.streams.stdout.columns || widest) - nameWidth - markWidth
  console.line(`${paint('bold', label)}  ${server}`)
  console.line()
  for (const { check, state, finding, why, fix } of findings) {
    const [mark, style] = marks[state]
    const [first = '', ...rest] = wrap(finding, width)
    console.line(`${paint(style, mark.padEnd(markWidth))}${check.padEnd(nameWidth)}${first}`)
    for (const line of rest) console.line(indented(line))
    if (why !== undefined) for (const line of wrap(`why: ${why}`, width)) console.line(paint('dim', indented(line)))
    if (fix !== undefined) for (const line of wrap(`fix: ${fix}`, width)) console.line(indented(line))
  }
  console.line()
  console.line(paint('bold', summary(findings)))
}

export function summary(findings: readonly CheckedFinding[]): string {
  const count = (state: State): number => findings.filter(finding => finding.state === state).length
  const parts = [plural(count('problem'), 'problem'), plural(count('warning'), 'warning')]
  if (count('unknown') > 0) parts.push(`${count('unknown')} not known`)
  return `${parts.join(', ')} in ${plural(findings.length, 'check')}`
}

function indented(line: string): string {
  return ' '.repeat(nameWidth + markWidth) + line
}
