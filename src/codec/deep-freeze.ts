function refuseChange(): never {
  throw new TypeError('This value is shared and frozen')
}

/** An object on top of `prototype` whose mutating methods throw: Object.freeze alone leaves a Map's entries open. */
function frozenPrototype(prototype: object, mutators: readonly string[]): object {
  const descriptors = Object.fromEntries(mutators.map(name => [name, { value: refuseChange }]))
  return Object.freeze(Object.create(prototype, descriptors)) as object
}

const dateSetters = Object.getOwnPropertyNames(Date.prototype).filter(name => name.startsWith('set'))

export const frozenMapPrototype: object = frozenPrototype(Map.prototype, ['set', 'delete', 'clear'])
export const frozenSetPrototype: object = frozenPrototype(Set.prototype, ['add', 'delete', 'clear'])
export const frozenDatePrototype: object = frozenPrototype(Date.prototype, dateSetters)

/**
 * Freezes a freshly decoded value and everything in it. Maps, Sets and Dates get mutating methods that throw.
 * Returns false when it holds binary data, which nothing can freeze: such a value must not be shared.
 */
export function deepFreeze(value: unknown): boolean {
  return freeze(value, new Set())
}

function freeze(value: unknown, seen: Set<object>): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return true
  seen.add(value)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return false
  let shareable = true
  if (value instanceof Map) {
    for (const [key, held] of value) {
      if (!freeze(key, seen)) shareable = false
      if (!freeze(held, seen)) shareable = false
    }
    adopt(value, Map.prototype, frozenMapPrototype)
  } else if (value instanceof Set) {
    for (const held of value) if (!freeze(held, seen)) shareable = false
    adopt(value, Set.prototype, frozenSetPrototype)
  } else if (value instanceof Date) {
    adopt(value, Date.prototype, frozenDatePrototype)
  }
  for (const held of Object.values(value)) if (!freeze(held, seen)) shareable = false
  Object.freeze(value)
  return shareable
}

function adopt(value: object, from: object, to: object): void {
  if (Object.getPrototypeOf(value) === from) Object.setPrototypeOf(value, to)
}
