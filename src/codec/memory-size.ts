const reference = 8
const objectHeader = 24
const arrayHeader = 32
const mapHeader = 64
const mapEntry = 40
const dateBytes = 96
const bufferHeader = 160
const boxedNumber = 16
const stringHeader = 24

/**
 * What a decoded value takes in memory, in bytes: an estimate for 64-bit V8 that errs on the large side. Parts that are shared count each time.
 */
export function memorySize(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return stringHeader + bytesOf(value)
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 2 ** 30 ? 0 : boxedNumber
    case 'bigint':
      return stringHeader + Math.ceil(value.toString(16).length / 2)
    case 'object':
      return value === null ? 0 : sizeOfObject(value)
    default:
      return 0
  }
}

function sizeOfObject(value: object): number {
  if (Array.isArray(value)) return sum(value, arrayHeader)
  if (value instanceof Date) return dateBytes
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return bufferHeader + value.byteLength
  if (value instanceof Map) {
    let size = mapHeader
    for (const [key, held] of value) size += mapEntry + memorySize(key) + memorySize(held)
    return size
  }
  if (value instanceof Set) {
    let size = mapHeader
    for (const held of value) size += mapEntry + memorySize(held)
    return size
  }
  // The keys of objects of one shape are shared.
  return sum(Object.values(value), objectHeader)
}

function sum(values: readonly unknown[], header: number): number {
  let size = header
  for (const held of values) size += reference + memorySize(held)
  return size
}

/** V8 keeps text in one byte a character as long as every character fits. */
function bytesOf(text: string): number {
  if (text.length > 1024) return text.length * 2
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0xff) return text.length * 2
  return text.length
}
