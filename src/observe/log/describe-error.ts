import { isLeaseholdError } from '../../core/errors.ts'
import { redactText } from './redact.ts'

/** What must not appear in a line. */
export interface Unwanted {
  readonly secrets: readonly string[]
  /** Undefined: keys may. */
  readonly keys: readonly string[] | undefined
}

const hidden = '***'
/** As our error messages show keys and tags, cut to 64 characters before they are escaped; and options, which is no loss. */
const quotedText = /"(?:[^"\\]|\\.){0,400}"/g
/** How much of a long key error messages show. */
const shownLength = 64
/** A shorter text stands in words by chance. */
const leastInWords = 4

/** `{ type, code, message }`, as far as they can be read. */
export function describeError(error: unknown, { secrets, keys }: Unwanted): object {
  const isObject = typeof error === 'object' && error !== null
  const shown = isObject
    ? { type: read(error, 'name'), code: read(error, 'code'), message: read(error, 'message') }
    : { message: textOf(error) }
  const unwanted = keys === undefined ? undefined : [...keys, ...keysIn(error)]
  const own = unwanted !== undefined && isOwn(error)
  const fields = Object.entries(shown).flatMap(([field, value]) => {
    if (typeof value !== 'string') return []
    const unquoted = own ? value.replace(quotedText, `"${hidden}"`) : value
    return [[field, redactText(unwanted === undefined ? unquoted : withoutKeys(unquoted, unwanted), secrets)]]
  })
  return fields.length === 0 ? { message: 'an error that cannot be read' } : Object.fromEntries(fields)
}

/** A getter, or a trap of a proxy, may throw. */
function read(error: object, name: string): unknown {
  try {
    return (error as Readonly<Record<string, unknown>>)[name]
  } catch {
    return undefined
  }
}

function textOf(error: unknown): string | undefined {
  try {
    return String(error)
  } catch {
    return undefined
  }
}

function isOwn(error: unknown): boolean {
  try {
    return isLeaseholdError(error)
  } catch {
    return false
  }
}

/** The keys that one of our own errors is about, which may be those of a call that the loader made. */
function keysIn(error: unknown): string[] {
  if (!isOwn(error)) return []
  const { key, errors } = error as { readonly key?: unknown; readonly errors?: unknown }
  return [key, ...(errors instanceof Map ? errors.keys() : [])].filter(each => typeof each === 'string')
}

function withoutKeys(text: string, keys: readonly string[]): string {
  let shown = text
  for (const key of keys) {
    if (key === '') continue
    const start = key.slice(0, shownLength)
    for (const form of new Set([key, escaped(key), start, escaped(start)])) shown = without(shown, form)
  }
  return shown
}

/** As it stands in JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function without(text: string, unwanted: string): string {
  if (unwanted.length >= leastInWords) return text.replaceAll(unwanted, hidden)
  const literal = unwanted.replaceAll(/[^\w\s]/g, String.raw`\$&`)
  return text.replaceAll(new RegExp(String.raw`(?<!\w)${literal}(?!\w)`, 'g'), hidden)
}
