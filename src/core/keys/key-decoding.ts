import { deepestNesting } from './key-encoding.ts'

/** Thrown away by {@link decodeParams}: text that no parameters are spelled as. */
class NotAKey extends Error {}

const end = /[,=()[\]]/g
const dateEnd = /[,)\]]/g

/**
 * The parameters that `text` spells, or undefined when it spells none. It accepts more than is ever written:
 * whether the text is the canonical one shows when the parameters are encoded again.
 */
export function decodeParams(text: string): Record<string, unknown> | undefined {
  try {
    const reader = new Reader(text)
    const fields = reader.fields(0)
    return reader.done ? fields : undefined
  } catch (error) {
    if (error instanceof NotAKey) return undefined
    throw error
  }
}

/** The text before its escapes. */
export function decodeText(text: string): string {
  if (text === '~') return ''
  return text.replace(/%u([0-9A-F]{4})|%([0-9A-F]{2})/g, (_, wide: string | undefined, narrow: string | undefined) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow ?? '', 16)),
  )
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get done(): boolean {
    return this.#at === this.#text.length
  }

  fields(depth: number): Record<string, unknown> {
    const fields = Object.create(null) as Record<string, unknown>
    do {
      const name = decodeText(this.#until(end))
      this.#expect('=')
      fields[name] = this.#value(depth)
    } while (this.#skip(','))
    return fields
  }

  #value(depth: number): unknown {
    if (this.#skip('[')) return this.#items(deeper(depth))
    if (this.#skip('(')) return this.#nestedFields(deeper(depth))
    if (this.#skip('@')) return this.#date()
    const text = this.#until(end)
    if (text.startsWith('#')) return readNumber(text.slice(1))
    if (text.startsWith('!')) return readWord(text.slice(1))
    if (text === '') throw new NotAKey()
    return decodeText(text)
  }

  #nestedFields(depth: number): Record<string, unknown> {
    if (this.#skip(')')) return {}
    const fields = this.fields(depth)
    this.#expect(')')
    return fields
  }

  #items(depth: number): unknown[] {
    const items: unknown[] = []
    if (this.#skip(']')) return items
    do items.push(this.#value(depth))
    while (this.#skip(','))
    this.#expect(']')
    return items
  }

  #date(): Date {
    const date = new Date(this.#until(dateEnd))
    if (Number.isNaN(date.getTime())) throw new NotAKey()
    return date
  }

  #until(stop: RegExp): string {
    stop.lastIndex = this.#at
    const at = stop.exec(this.#text)?.index ?? this.#text.length
    const text = this.#text.slice(this.#at, at)
    this.#at = at
    return text
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #expect(character: string): void {
    if (!this.#skip(character)) throw new NotAKey()
  }
}

function deeper(depth: number): number {
  if (depth === deepestNesting) throw new NotAKey()
  return depth + 1
}

function readNumber(text: string): number | bigint {
  if (/^-?\d+n$/.test(text)) return BigInt(text.slice(0, -1))
  const value = Number(text)
  if (text === '' || !Number.isFinite(value)) throw new NotAKey()
  return value
}

function readWord(word: string): boolean | null {
  if (word === 'true') return true
  if (word === 'false') return false
  if (word === 'null') return null
  throw new NotAKey()
}
