import { inspect, types } from 'node:util'
import { LeaseholdError } from '../core/errors.ts'
import { frozenDatePrototype, frozenMapPrototype, frozenSetPrototype } from './deep-freeze.ts'
import { type Refusal, describeInstance, refusalMessage, refuse, within } from './refusal.ts'

/** Values nested deeper than this are refused, so that a value that was stored can be read back from any depth of the stack. */
export const maxDepth = 500

interface Abilities {
  readonly name: string
  /** More than JSON's types: undefined, bigint, NaN, -0, Date, Map, Set, binary, holes, null prototypes. */
  readonly extended: boolean
  /** Whether strings that are not well-formed UTF-16 come back. */
  readonly loneSurrogates: boolean
}

const jsonAbilities: Abilities = { name: 'json', extended: false, loneSurrogates: true }
const msgpackAbilities: Abilities = { name: 'msgpack', extended: true, loneSurrogates: false }

/** `plain`: JSON's types and ASCII text alone. `awkward`: has parts that msgpack can carry only in disguise. */
export type MsgpackForm = 'plain' | 'rich' | 'awkward'

/** What the walk has found so far. */
let form: MsgpackForm = 'plain'

/** @throws LeaseholdError `UNSERIALIZABLE_VALUE` unless `JSON.parse(JSON.stringify(value))` would equal the value. */
export function checkForJson(value: unknown): void {
  const refusal = check(value, 0, jsonAbilities)
  if (refusal !== undefined) throw unserializable(refusal, jsonAbilities)
}

/**
 * How msgpack can carry the value. Awkward are -0, holes, null prototypes, some keys.
 * @throws LeaseholdError `UNSERIALIZABLE_VALUE` for what msgpack would not bring back the same.
 */
export function checkForMsgpack(value: unknown): MsgpackForm {
  form = 'plain'
  const refusal = check(value, 0, msgpackAbilities)
  if (refusal !== undefined) throw unserializable(refusal, msgpackAbilities)
  return form
}

function unserializable(refusal: Refusal, abilities: Abilities): LeaseholdError {
  return new LeaseholdError('UNSERIALIZABLE_VALUE', refusalMessage(refusal, abilities.name))
}

function check(value: unknown, depth: number, abilities: Abilities): Refusal | undefined {
  switch (typeof value) {
    case 'string':
      if (abilities.loneSurrogates || isAscii(value)) return undefined
      enrich()
      return isWellFormed(value) ? undefined : refuse('a string with a lone surrogate')
    case 'number':
      if (value === 0 && Object.is(value, -0)) return disguise(abilities, '-0')
      return abilities.extended || Number.isFinite(value) ? undefined : refuse(String(value))
    case 'boolean':
      return undefined
    case 'undefined':
    case 'bigint':
      enrich()
      return abilities.extended ? undefined : refuse(value === undefined ? 'undefined' : 'a bigint')
    case 'object':
      return value === null ? undefined : checkObject(value, depth, abilities)
    default:
      return refuse(`a ${typeof value}`)
  }
}

function disguise(abilities: Abilities, what: string): Refusal | undefined {
  if (!abilities.extended) return refuse(what)
  form = 'awkward'
  return undefined
}

function enrich(): void {
  if (form === 'plain') form = 'rich'
}

function checkObject(value: object, depth: number, abilities: Abilities): Refusal | undefined {
  if (depth === maxDepth) return within(refuse(`nested deeper than ${maxDepth} levels`), value)
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === Object.prototype) return checkProperties(value, depth, abilities)
  if (Array.isArray(value)) {
    return prototype === Array.prototype ? checkArray(value, depth, abilities) : refuse(describeInstance(prototype))
  }
  if (prototype === null) {
    return disguise(abilities, 'an object with a null prototype') ?? checkProperties(value, depth, abilities)
  }
  if (!abilities.extended) return refuse(describeInstance(prototype))
  enrich()
  return checkBuiltIn(value, prototype, depth, abilities)
}

function checkProperties(value: object, depth: number, abilities: Abilities): Refusal | undefined {
  if (Object.getOwnPropertySymbols(value).length > 0) return refuse('an object with a symbol for a key')
  const keys = Object.keys(value)
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string
    if (abilities.extended) {
      if (isAwkwardKey(key)) form = 'awkward'
      else if (!isWellFormed(key)) return refuse('an object with a lone surrogate in a key')
    }
    const descriptor = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor
    if (descriptor.get !== undefined || descriptor.set !== undefined) return within(refuse('an accessor'), value, key)
    const refusal = check(descriptor.value, depth + 1, abilities)
    if (refusal !== undefined) return within(refusal, value, key)
  }
  return undefined
}

/** Keys that msgpackr renames or confuses with its own. */
export function isAwkwardKey(key: string): boolean {
  return key.charCodeAt(0) === 95 && (key === '__proto__' || key === '__keys__')
}

function checkArray(array: readonly unknown[], depth: number, abilities: Abilities): Refusal | undefined {
  if (Object.getOwnPropertySymbols(array).length > 0) return refuse('an array with a symbol for a key')
  for (let at = 0; at < array.length; at++) {
    const element = array[at]
    if (element === undefined && !(at in array)) {
      return disguise(abilities, 'an array with holes') ?? checkSparse(array, depth, abilities)
    }
    const refusal = check(element, depth + 1, abilities)
    if (refusal !== undefined) return within(refusal, array, at)
  }
  return hasNamedProperties(array) ? refuse('an array with properties besides its elements') : undefined
}

function checkSparse(array: readonly unknown[], depth: number, abilities: Abilities): Refusal | undefined {
  for (const key of Object.keys(array)) {
    const index = Number(key)
    if (!(Number.isInteger(index) && index >= 0 && index < array.length && String(index) === key)) {
      return refuse('an array with properties besides its elements')
    }
    const refusal = check(array[index], depth + 1, abilities)
    if (refusal !== undefined) return within(refusal, array, index)
  }
  return undefined
}

/** For arrays without holes and for binary. Listing the keys would cost more than encoding the elements. */
function hasNamedProperties(value: readonly unknown[] | NodeJS.TypedArray): boolean {
  if (value.length <= 64) return Object.keys(value).length !== value.length
  if (!inspect(value, { maxArrayLength: 0, depth: 0, customInspect: false }).includes(',')) return false
  return Object.keys(value).length !== value.length
}

const binaryPrototypes: ReadonlySet<object> = new Set<object>([
  Buffer.prototype,
  Int8Array.prototype,
  Uint8Array.prototype,
  Uint8ClampedArray.prototype,
  Int16Array.prototype,
  Uint16Array.prototype,
  Int32Array.prototype,
  Uint32Array.prototype,
  Float32Array.prototype,
  Float64Array.prototype,
  BigInt64Array.prototype,
  BigUint64Array.prototype,
])

function checkBuiltIn(value: object, prototype: object, depth: number, abilities: Abilities): Refusal | undefined {
  if (types.isTypedArray(value)) {
    if (!binaryPrototypes.has(prototype)) return refuse(describeInstance(prototype))
    return hasNamedProperties(value) ? refuse('binary data with properties besides its elements') : undefined
  }
  if (!isKnown(value, prototype)) return refuse(describeInstance(prototype))
  if (Object.keys(value).length > 0 || Object.getOwnPropertySymbols(value).length > 0) {
    return refuse(`${describeInstance(prototype)} with properties of its own`)
  }
  if (types.isMap(value)) return checkMap(value, depth, abilities)
  return types.isSet(value) ? checkSet(value, depth, abilities) : undefined
}

function isKnown(value: object, prototype: object): boolean {
  if (types.isDate(value)) return prototype === Date.prototype || prototype === frozenDatePrototype
  if (types.isMap(value)) return prototype === Map.prototype || prototype === frozenMapPrototype
  if (types.isSet(value)) return prototype === Set.prototype || prototype === frozenSetPrototype
  if (types.isArrayBuffer(value))
    return prototype === ArrayBuffer.prototype && !('resizable' in value && value.resizable === true)
  return types.isDataView(value) && prototype === DataView.prototype
}

function checkMap(map: ReadonlyMap<unknown, unknown>, depth: number, abilities: Abilities): Refusal | undefined {
  let at = 0
  for (const [key, held] of map) {
    const ofKey = check(key, depth + 1, abilities)
    if (ofKey !== undefined) return within(ofKey, map, `<key ${at}>`)
    const refusal = check(held, depth + 1, abilities)
    if (refusal !== undefined) return within(refusal, map, typeof key === 'string' ? key : `<value ${at}>`)
    at++
  }
  return undefined
}

function checkSet(set: ReadonlySet<unknown>, depth: number, abilities: Abilities): Refusal | undefined {
  let at = 0
  for (const held of set) {
    const refusal = check(held, depth + 1, abilities)
    if (refusal !== undefined) return within(refusal, set, `<member ${at}>`)
    at++
  }
  return undefined
}

/** For short text a loop beats the regular expression. */
function isAscii(text: string): boolean {
  if (text.length > 64) return !/[\u0080-\uffff]/.test(text)
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false
  return true
}

/** In Node 20 and later; not yet in the language level that the sources are checked against. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
