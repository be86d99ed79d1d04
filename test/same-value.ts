import { isDeepStrictEqual } from 'node:util'

/** Whether two values are the same in everything that a codec has to bring back: also prototypes, holes, order, -0 and invalid dates. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime())
  if (ArrayBuffer.isView(a) || a instanceof ArrayBuffer) return isDeepStrictEqual(a, b)
  if (a instanceof Map && b instanceof Map) return sameList([...a].flat(1), [...b].flat(1))
  if (a instanceof Set && b instanceof Set) return sameList([...a], [...b])
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false
  const keys = Reflect.ownKeys(a)
  return sameList(keys, Reflect.ownKeys(b)) && keys.every(key => sameValue(Reflect.get(a, key), Reflect.get(b, key)))
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((held, at) => sameValue(held, b[at]))
}
