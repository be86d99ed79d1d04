import { C1 } from 'msgpackr'
import { isAwkwardKey } from './check-value.ts'

/**
 * What msgpackr would change stands in the payload as an array that starts with MessagePack's never-used value,
 * which no value of a user can hold: [C1] is -0, the others name their kind.
 */
const sparse = 'sparse'
const bare = 'bare'
const keyed = 'keyed'

/** A copy with every awkward part disguised. For values that `checkForMsgpack` let through. */
export function putOn(value: unknown): unknown {
  if (typeof value === 'number') return Object.is(value, -0) ? [C1] : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return disguiseArray(value)
  if (value instanceof Map) return new Map(Array.from(value, ([key, held]) => [putOn(key), putOn(held)]))
  if (value instanceof Set) return new Set(Array.from(value, putOn))
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? disguiseObject(value, prototype === null) : value
}

function disguiseArray(array: readonly unknown[]): unknown {
  const indexes = Object.keys(array).map(Number)
  if (indexes.length === array.length) return array.map(putOn)
  return [C1, sparse, array.length, indexes, indexes.map(index => putOn(array[index]))]
}

function disguiseObject(object: object, hasNoPrototype: boolean): unknown {
  const keys = Object.keys(object)
  const values = Object.values(object).map(putOn)
  if (keys.some(isAwkwardKey)) return [C1, keyed, hasNoPrototype, keys, values]
  const record: Record<string, unknown> = {}
  keys.forEach((key, at) => (record[key] = values[at]))
  return hasNoPrototype ? [C1, bare, record] : record
}

/** Undoes {@link putOn} on a freshly decoded value. @throws Error for disguises that it never makes. */
export function takeOff(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value[0] === C1 ? reveal(value) : value.map(takeOff)
  if (value instanceof Map) return new Map(Array.from(value, ([key, held]) => [takeOff(key), takeOff(held)]))
  if (value instanceof Set) return new Set(Array.from(value, takeOff))
  if (Object.getPrototypeOf(value) === Object.prototype) {
    const record = value as Record<string, unknown>
    for (const key of Object.keys(record)) record[key] = takeOff(record[key])
  }
  return value
}

function reveal(parts: readonly unknown[]): unknown {
  const [, kind, first, second, third] = parts
  if (parts.length === 1) return -0
  if (kind === sparse && isLength(first) && Array.isArray(second) && Array.isArray(third))
    return revealSparse(first, second, third)
  if (kind === bare && typeof first === 'object') return Object.assign(Object.create(null) as object, takeOff(first))
  if (kind === keyed && Array.isArray(second) && Array.isArray(third)) return revealKeyed(first === true, second, third)
  throw new Error('unknown disguise in a msgpack payload')
}

function isLength(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value
}

function revealSparse(length: number, indexes: readonly unknown[], values: readonly unknown[]): unknown[] {
  const array: unknown[] = []
  indexes.forEach((index, at) => {
    if (!isLength(index) || index >= length) throw new Error('index outside a sparse array')
    array[index] = takeOff(values[at])
  })
  array.length = length
  return array
}

function revealKeyed(hasNoPrototype: boolean, keys: readonly unknown[], values: readonly unknown[]): object {
  const object = (hasNoPrototype ? Object.create(null) : {}) as object
  keys.forEach((key, at) => {
    if (typeof key !== 'string') throw new Error('key that is not a string')
    // Defined rather than assigned: assigning to __proto__ would set the prototype.
    Object.defineProperty(object, key, { value: takeOff(values[at]), enumerable: true, writable: true, configurable: true })
  })
  return object
}
