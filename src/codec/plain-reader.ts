/**
 * Reads MessagePack bodies whose strings are all ASCII and whose parts are all plain: null, booleans, numbers, strings, arrays, and
 * objects of shapes that the record table lists. Such a body is read as one string that the texts are cut from, which is faster than
 * what a reader can do that must be ready for anything.
 */
export class PlainReader {
  readonly #readers: ReadObject[]

  /** @throws RangeError when a shape has a key that plain bodies never have. */
  constructor(shapes: readonly (readonly string[])[]) {
    if (shapes.some(keys => keys.includes('__proto__'))) throw malformed()
    this.#readers = shapes.map((keys, shape) => this.#readerOf(keys, shape))
  }

  /** Decodes the body that stands from `start` to the end of `bytes`. @throws RangeError when it is not such a body. */
  read(bytes: Buffer, start: number): unknown {
    body = bytes
    end = bytes.length
    at = textStart = start
    text = bytes.toString('latin1', start, end)
    readers = this.#readers
    const value = read()
    if (at !== end) throw malformed()
    return value
  }

  #readerOf(keys: readonly string[], shape: number): ReadObject {
    let reads = 0
    const interpret = (): object => {
      if (++reads === compileAfter) this.#readers[shape] = compile(keys) ?? interpret
      const object: Record<string, unknown> = {}
      for (const key of keys) object[key] = read()
      return object
    }
    return interpret
  }
}

type ReadObject = () => object

// One body is read at a time, from start to end, so its state needs no object.
let body: Buffer
let text: string
let textStart: number
let at: number
let end: number
let readers: readonly ReadObject[]

const doubleBytes = new Uint8Array(8)
const double = new DataView(doubleBytes.buffer)

/** Shapes that come again and again are compiled; a dictionary's shape hardly does. */
const compileAfter = 8

/*
 * Arrays and objects are copies of blank ones. V8 watches what becomes of the objects of each literal in the code: where many live long, it makes all
 * later ones among the old objects, where each costs several times as much. Values that a cache keeps would slow down those that it hands out.
 */
const blanks: readonly (readonly unknown[])[] = [0, 1, 2, 3].map(length => [null, null, null].slice(0, length))
const longestBlank = blanks.length - 1

/** Short, so that it can be compiled into the readers of objects. */
function read(): unknown {
  const token = body[at++] as number
  if (token < 0x40) return token
  if (token < 0x60) return readObject(token - 0x40)
  if (token >= 0xa0 && token < 0xc0) return readText(token - 0xa0)
  return readOther(token)
}

function readOther(token: number): unknown {
  if (token >= 0x90 && token < 0xa0) return readArray(token - 0x90)
  if (token >= 0xe0) return token - 0x100
  switch (token) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xcb:
      return readDouble()
    case 0xcc:
      return readUint8()
    case 0xcd:
      return readUint16()
    case 0xce:
      return readUint32()
    case 0xd0:
      return (readUint8() << 24) >> 24
    case 0xd1:
      return (readUint16() << 16) >> 16
    case 0xd2:
      return readUint32() | 0
    case 0xd9:
      return readText(readUint8())
    case 0xda:
      return readText(readUint16())
    case 0xdb:
      return readText(readUint32())
    case 0xdc:
      return readArray(readUint16())
    case 0xdd:
      return readArray(readUint32())
    default:
      throw malformed()
  }
}

function readObject(shape: number): object {
  const reader = readers[shape]
  if (reader === undefined) throw malformed()
  return reader()
}

function readText(length: number): string {
  const from = at - textStart
  at += length
  return text.slice(from, from + length)
}

/** Short ones are cut to size, and take no more memory than their elements need. */
function readArray(length: number): unknown[] {
  // What lies about its length ends here, and not in as many elements as it claims.
  if (length > end - at) throw malformed()
  const array = (blanks[Math.min(length, longestBlank)] as readonly unknown[]).slice()
  for (let index = 0; index < length; index++) array[index] = read()
  return array
}

// Past the end there are zeros, and `read` of the whole body finds out.
function readUint8(): number {
  return (body[at++] as number) >>> 0
}

function readUint16(): number {
  return ((body[at++] as number) << 8) | (body[at++] as number)
}

function readUint32(): number {
  return ((readUint16() << 16) | readUint16()) >>> 0
}

/** Spelled out, which is faster than a loop. */
function readDouble(): number {
  doubleBytes[0] = body[at] as number
  doubleBytes[1] = body[at + 1] as number
  doubleBytes[2] = body[at + 2] as number
  doubleBytes[3] = body[at + 3] as number
  doubleBytes[4] = body[at + 4] as number
  doubleBytes[5] = body[at + 5] as number
  doubleBytes[6] = body[at + 6] as number
  doubleBytes[7] = body[at + 7] as number
  at += 8
  return double.getFloat64(0)
}

/** A function that makes the object in one piece; undefined where code may not be generated. */
function compile(keys: readonly string[]): ReadObject | undefined {
  const names = keys.map(key => JSON.stringify(key))
  const blank = `{ ${names.map(name => `${name}: null`).join(', ')} }`
  const filled = `{ ...blank, ${names.map(name => `${name}: read()`).join(', ')} }`
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- keys are spelled as JSON strings, which no key can leave
    return new Function('read', `const blank = ${blank}; return () => (${filled})`)(read) as ReadObject
  } catch {
    return undefined
  }
}

function malformed(): RangeError {
  return new RangeError('not a plain MessagePack body')
}
