import { isBroad, operationKinds, outcomes, type Operation, type OperationKind, type Origin } from './operation.ts'
import { isTagged } from './tags-of-keys.ts'

/** How many numbers an operation takes. */
export const rowLength = 11

const column = {
  kind: 0,
  key: 1,
  process: 2,
  id: 3,
  began: 4,
  ended: 5,
  outcome: 6,
  originKind: 7,
  originProcess: 8,
  originId: 9,
  originBegan: 10,
} as const

const originKinds = ['load', 'set'] as const
const noOrigin = -1

/** Writes an operation into `rows` from `offset` on. */
export function writeRow(rows: Float64Array, offset: number, operation: Operation): void {
  const { value } = operation
  rows[offset + column.kind] = operationKinds.indexOf(operation.kind)
  rows[offset + column.key] = operation.key
  rows[offset + column.process] = operation.process
  rows[offset + column.id] = operation.id
  rows[offset + column.began] = operation.began
  rows[offset + column.ended] = operation.ended
  rows[offset + column.outcome] = outcomes.indexOf(operation.outcome)
  rows[offset + column.originKind] = value === undefined ? noOrigin : originKinds.indexOf(value.kind)
  rows[offset + column.originProcess] = value?.process ?? noOrigin
  rows[offset + column.originId] = value?.id ?? noOrigin
  rows[offset + column.originBegan] = value?.began ?? noOrigin
}

/** What all processes did, in no particular order. Rows of numbers, since millions of objects would not fit. */
export class History {
  #rows: Float64Array = new Float64Array(rowLength * 1024)
  #count = 0

  static of(operations: Iterable<Operation>): History {
    const history = new History()
    for (const operation of operations) history.add(operation)
    return history
  }

  get size(): number {
    return this.#count
  }

  add(operation: Operation): void {
    this.#reserve(1)
    writeRow(this.#rows, this.#count * rowLength, operation)
    this.#count++
  }

  /** Adds rows as {@link writeRow} makes them. Returns how many; a last one that is not whole is left out. */
  addRows(rows: Float64Array): number {
    const count = Math.floor(rows.length / rowLength)
    this.#reserve(count)
    this.#rows.set(rows.subarray(0, count * rowLength), this.#count * rowLength)
    this.#count += count
    return count
  }

  at(index: number): Operation {
    const number = (which: number): number => this.#number(index, which)
    const operation = {
      kind: this.kind(index),
      key: this.key(index),
      process: number(column.process),
      id: number(column.id),
      began: this.began(index),
      ended: this.ended(index),
      outcome: outcomes[number(column.outcome)] ?? 'untold',
    }
    const originKind = originKinds[number(column.originKind)]
    if (originKind === undefined) return operation
    const value: Origin = {
      kind: originKind,
      process: number(column.originProcess),
      id: number(column.originId),
      began: number(column.originBegan),
    }
    return { ...operation, value }
  }

  /** Of the operations on one key alone. */
  indicesByKey(): ReadonlyMap<number, readonly number[]> {
    const byKey = new Map<number, number[]>()
    for (let index = 0; index < this.#count; index++) {
      if (isBroad(this.kind(index))) continue
      const indices = byKey.get(this.key(index))
      if (indices === undefined) byKey.set(this.key(index), [index])
      else indices.push(index)
    }
    return byKey
  }

  /** Of the operations on more keys than one. */
  broadIndices(): readonly number[] {
    const indices: number[] = []
    for (let index = 0; index < this.#count; index++) if (isBroad(this.kind(index))) indices.push(index)
    return indices
  }

  /** Whether the operation is one on the key, be it among others. */
  concerns(index: number, key: number): boolean {
    const kind = this.kind(index)
    return kind === 'clear' || (kind === 'invalidateTags' ? isTagged(key, this.key(index)) : this.key(index) === key)
  }

  kind(index: number): OperationKind {
    return operationKinds[this.#number(index, column.kind)] ?? 'load'
  }

  key(index: number): number {
    return this.#number(index, column.key)
  }

  began(index: number): number {
    return this.#number(index, column.began)
  }

  ended(index: number): number {
    return this.#number(index, column.ended)
  }

  #number(index: number, which: number): number {
    return this.#rows[index * rowLength + which] ?? Number.NaN
  }

  #reserve(more: number): void {
    const wanted = (this.#count + more) * rowLength
    if (wanted <= this.#rows.length) return
    const grown = new Float64Array(Math.max(wanted, this.#rows.length * 2))
    grown.set(this.#rows)
    this.#rows = grown
  }
}
