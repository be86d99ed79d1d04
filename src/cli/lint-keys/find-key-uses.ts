import { readSource, type SourceText } from './source-text.ts'

export interface KeyUse {
  readonly kind: 'definition' | 'resource' | 'key'
  /** The name of the definition or resource, or the key; undefined when it is not written out in full. */
  readonly text: string | undefined
  /** Counted from 1. */
  readonly line: number
  readonly column: number
}

const definition = /(?<![\w$.])defineKey\b/g
const resource = /(?<![\w$])(?:[\w$]*[cC]ache)\s*\??\.\s*define\b/g
/** `getOrSet` is nobody else's; the other names are, so there the receiver has to be called a cache. */
const call = /(?:\.\s*getOrSet|(?<![\w$])(?:[\w$]*[cC]ache)\s*\??\.\s*(?:getEntry|get|has|set|delete|expire))\b/g

/** Finds definitions of keys, and keys that are written by hand in calls of a cache. */
export function findKeyUses(source: string): KeyUse[] {
  const text = readSource(source)
  const named = (kind: 'definition' | 'resource', callee: RegExp): KeyUse[] =>
    argumentsOf(text, callee).map(({ at, literal }) => ({ kind, text: literal?.text, ...positionOf(source, at) }))
  const definitions = [...named('definition', definition), ...named('resource', resource)]
  // What is no literal may be a key from a builder.
  const keys = argumentsOf(text, call).flatMap(({ at, literal }): KeyUse[] =>
    literal === undefined ? [] : [{ kind: 'key', text: literal.text, ...positionOf(source, at) }],
  )
  return [...definitions, ...keys].toSorted((a, b) => a.line - b.line || a.column - b.column)
}

/** The first argument of each call of what matches: where it starts, and the text that it is. */
function argumentsOf(
  { code, literals }: SourceText,
  callee: RegExp,
): { at: number; literal: { text: string | undefined } | undefined }[] {
  const found: { at: number; literal: { text: string | undefined } | undefined }[] = []
  for (const match of code.matchAll(callee)) {
    const open = afterTypeArguments(code, match.index + match[0].length)
    if (code[open] !== '(') continue
    const at = skipSpace(code, open + 1)
    // A function's own declaration and a call without arguments are no uses.
    if (code[at] === ')' || code[at] === undefined) continue
    const literal = literals.get(at)
    const whole = literal !== undefined && /[,)]/.test(code[skipSpace(code, literal.end)] ?? '')
    found.push({ at, literal: literal === undefined ? undefined : { text: whole ? literal.text : undefined } })
  }
  return found
}

function afterTypeArguments(code: string, from: number): number {
  let at = skipSpace(code, from)
  if (code[at] !== '<') return at
  let depth = 0
  for (; at < code.length; at++) {
    if (code[at] === '<') depth++
    else if (code[at] === '>' && code[at - 1] !== '=' && --depth === 0) return skipSpace(code, at + 1)
  }
  return at
}

function skipSpace(code: string, from: number): number {
  let at = from
  while (/\s/.test(code[at] ?? '')) at++
  return at
}

function positionOf(source: string, at: number): { line: number; column: number } {
  const before = source.slice(0, at).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
