import type { History } from './history.ts'
import type { Operation, Origin } from './operation.ts'

const mostLines = 40

interface Line {
  readonly at: number
  readonly text: string
  readonly of: Operation
}

/** What was wrong with a read's answer, and what else happened to the key between the value's beginning and the answer. */
export function explain(history: History, read: Operation, revokedBy: Operation | undefined, copiesBehindMs: number = 0): string {
  const { value } = read
  if (revokedBy === undefined || value === undefined) {
    return `key ${read.key}: process ${read.process} was answered with the value of another key (${nameOf(read)}, ${read.outcome})`
  }
  const from = value.began
  const lines = [...linesAround(history, read.key, from, read.ended)].toSorted((a, b) => a.at - b.at)
  const essential = (line: Line): boolean =>
    isSame(line.of, read) || isSame(line.of, revokedBy) || comesFrom(value, line.of) || line.of.kind === 'delete'
  const shown = lines.length > mostLines ? lines.filter(essential).slice(0, mostLines) : lines
  return [
    `key ${read.key}: process ${read.process} was answered with a value that had been revoked before it asked`,
    `  the value (${describe(value)}) began ${ms(revokedBy.began - value.began)} before ${nameOf(revokedBy)} of process ${revokedBy.process} was issued;`,
    `  the read began ${ms(read.began - revokedBy.ended)} after that was acknowledged, and was answered as '${read.outcome}'${boundOf(read, revokedBy, copiesBehindMs)}`,
    ...shown.map(line => `  ${mark(line.of, read, revokedBy, value)} +${ms(line.at - from).padStart(12)}  ${line.text}`),
    ...(shown.length < lines.length ? [`    (${lines.length - shown.length} other events of the key left out)`] : []),
  ].join('\n')
}

function boundOf(read: Operation, revokedBy: Operation, copiesBehindMs: number): string {
  if (read.outcome !== 'copied') return ''
  if (read.process === revokedBy.process) return ', though what a process does itself applies to its copies at once'
  return `: copies may be ${ms(copiesBehindMs)} behind`
}

function* linesAround(history: History, key: number, from: number, until: number): Generator<Line> {
  for (let index = 0; index < history.size; index++) {
    if (!history.concerns(index, key) || history.ended(index) < from || history.began(index) > until) continue
    const of = history.at(index)
    const who = `process ${of.process}  ${nameOf(of)}`
    yield { at: of.began, text: `${who} ${of.kind === 'load' ? 'began' : 'issued'}`, of }
    const got = of.value === undefined ? '' : `, with ${describe(of.value)}`
    yield { at: of.ended, text: `${who} ended: ${of.outcome}${got}`, of }
  }
}

function mark(operation: Operation, read: Operation, revokedBy: Operation, value: Origin): string {
  if (isSame(operation, read)) return '>'
  if (isSame(operation, revokedBy)) return '!'
  return comesFrom(value, operation) ? '*' : ' '
}

function isSame(a: Operation, b: Operation): boolean {
  return a.process === b.process && a.id === b.id
}

function comesFrom(value: Origin, operation: Operation): boolean {
  return value.kind === operation.kind && value.process === operation.process && value.id === operation.id
}

function nameOf({ kind, id }: Operation): string {
  return `${kind} ${id}`
}

function describe({ kind, process, id }: Origin): string {
  return `${kind} ${id} of process ${process}`
}

function ms(duration: number): string {
  return `${duration.toFixed(3)} ms`
}
