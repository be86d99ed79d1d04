import { LeaseholdError } from '../errors.ts'
import { describeValue } from '../describe-value.ts'

/** What separates and brackets, and what would not print: escaped wherever it stands. */
const reserved = '%,=:()\\[\\]\\s\\p{Cc}\\p{Cs}'
/** What tells a type: escaped where a text begins. */
const sigils = '#!@~'
const needsEscape: RegExp = new RegExp(`^[${sigils}]|[${reserved}]`, 'u')
const escaped: RegExp = new RegExp(needsEscape.source, 'gu')
/** How deep parameters may be nested. */
export const deepestNesting = 16

/** One character of a text as keys spell it, as the source of a regular expression. */
export const textPattern: string = `(?:[^${reserved}]|%[0-9A-F]{2}|%u[0-9A-F]{4})`

/** Where in the parameters a value stands, for errors. */
type Path = string

/**
 * Parameters as the last part of a key: sorted, typed, `undefined` left out. Different parameters give different text.
 *
 * @throws LeaseholdError `INVALID_KEY`, which names the parameter.
 */
export function encodeParams(keyName: string, params: object, without?: string): string {
  return encodeFields(keyName, params, '', 0, without)
}

/** A text with what is reserved escaped. The empty text is `~`. */
export function encodeText(text: string): string {
  if (text === '') return '~'
  return needsEscape.test(text) ? text.replace(escaped, escapeCharacter) : text
}

export function invalidKey(keyName: string, problem: string): LeaseholdError {
  return new LeaseholdError('INVALID_KEY', `Key ${describeValue(keyName)}: ${problem}`, { key: keyName })
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  const hex = code.toString(16).toUpperCase()
  return code < 0x100 ? `%${hex.padStart(2, '0')}` : `%u${hex.padStart(4, '0')}`
}

function encodeFields(keyName: string, fields: object, path: Path, depth: number, without?: string): string {
  let text = ''
  for (const name of Object.keys(fields).toSorted()) {
    const value = (fields as Record<string, unknown>)[name]
    if (value === undefined || name === without) continue
    const encoded = encodeValue(keyName, value, path === '' ? name : `${path}.${name}`, depth)
    text += `${text === '' ? '' : ','}${encodeText(name)}=${encoded}`
  }
  return text
}

function encodeValue(keyName: string, value: unknown, path: Path, depth: number): string {
  if (typeof value === 'string') return encodeText(value)
  if (typeof value === 'number' && Number.isFinite(value)) return `#${value}`
  if (typeof value === 'bigint') return `#${value}n`
  if (typeof value === 'boolean' || value === null) return `!${value}`
  if (typeof value === 'object') return encodeObject(keyName, value, path, depth + 1)
  throw invalidKey(keyName, `parameter "${path}" cannot be part of a key; got ${describeValue(value)}`)
}

function encodeObject(keyName: string, value: object, path: Path, depth: number): string {
  if (depth > deepestNesting) throw invalidKey(keyName, `parameter "${path}" is nested deeper than ${deepestNesting} levels`)
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) {
      throw invalidKey(keyName, `parameter "${path}" cannot be part of a key; got an array with holes or properties`)
    }
    return `[${value.map((item, index) => encodeValue(keyName, item, `${path}[${index}]`, depth)).join(',')}]`
  }
  if (isPlain(value)) return `(${encodeFields(keyName, value, path, depth)})`
  if (value instanceof Date && !Number.isNaN(value.getTime())) return `@${value.toISOString()}`
  const got = value instanceof Date ? 'an invalid Date' : describeValue(value)
  throw invalidKey(keyName, `parameter "${path}" cannot be part of a key; got ${got}`)
}

/** An object made of its own named properties and nothing else. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.getOwnPropertySymbols(value).length === 0
}
