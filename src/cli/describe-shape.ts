import { plural } from './quantities.ts'

/** What kind of value it is, without anything of what it says. */
export function describeShape(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `text of ${plural(value.length, 'character')}`
  if (Array.isArray(value)) return `array of ${plural(value.length, 'item')}`
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name} of ${plural(value.size, 'item')}`
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${plural(value.byteLength, 'byte')}`
  if (value instanceof Date) return 'Date'
  if (typeof value === 'object')
    return `object with ${plural(Object.keys(value).length, 'property').replace('propertys', 'properties')}`
  return typeof value
}
