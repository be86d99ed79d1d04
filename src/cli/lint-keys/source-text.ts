export interface StringLiteral {
  readonly start: number
  /** Behind the closing quote. */
  readonly end: number
  /** Its text; undefined for a template with expressions in it. */
  readonly text: string | undefined
}

/** A source file with its texts told from its code. */
export interface SourceText {
  /** The code, of the same length: comments, regular expressions and the insides of texts are spaces. */
  readonly code: string
  /** By where they start. */
  readonly literals: ReadonlyMap<number, StringLiteral>
}

/** What may stand before a regular expression, and not before a division. */
const beforeRegex = /(?:^|[([{=,;:!&|?+\-*%~^<>}]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|await|yield))\s*$/

/** Reads JavaScript or TypeScript as far as it takes to know what is code. */
export function readSource(source: string): SourceText {
  let code = ''
  const literals = new Map<number, StringLiteral>()
  let at = 0

  const blank = (to: number): void => {
    code += source.slice(at, to).replace(/[^\n]/g, ' ')
    at = to
  }
  const copy = (to: number): void => {
    code += source.slice(at, to)
    at = to
  }

  function readCode(untilBrace: boolean): void {
    let depth = 0
    while (at < source.length) {
      const character = source[at] as string
      const two = source.slice(at, at + 2)
      if (two === '//') blank(endOf('\n', at))
      else if (two === '/*') blank(endOf('*/', at + 2) + 2)
      else if (character === "'" || character === '"') readString(character)
      else if (character === '`') readTemplate()
      else if (character === '/' && beforeRegex.test(code.slice(-40))) blank(endOfRegex(at))
      else {
        if (character === '{') depth++
        if (character === '}' && --depth < 0 && untilBrace) return
        copy(at + 1)
      }
    }
  }

  function readString(quote: string): void {
    const start = at
    let end = at + 1
    while (end < source.length && source[end] !== quote && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1
    end = Math.min(end + 1, source.length)
    literals.set(start, { start, end, text: unescaped(source.slice(start + 1, end - 1)) })
    keepQuotes(end)
  }

  function readTemplate(): void {
    const start = at
    let plain = true
    copy(at + 1)
    while (at < source.length && source[at] !== '`') {
      if (source[at] === '\\') blank(at + 2)
      else if (source.slice(at, at + 2) === '${') {
        plain = false
        blank(at + 2)
        readCode(true)
        blank(at + 1)
      } else blank(at + 1)
    }
    const end = Math.min(at + 1, source.length)
    literals.set(start, { start, end, text: plain ? unescaped(source.slice(start + 1, end - 1)) : undefined })
    copy(end)
  }

  function keepQuotes(end: number): void {
    copy(at + 1)
    blank(Math.max(at, end - 1))
    copy(end)
  }

  function endOf(text: string, from: number): number {
    const found = source.indexOf(text, from)
    return found === -1 ? source.length : found
  }

  function endOfRegex(from: number): number {
    let inClass = false
    for (let end = from + 1; end < source.length && source[end] !== '\n'; end++) {
      if (source[end] === '\\') end++
      else if (source[end] === '[') inClass = true
      else if (source[end] === ']') inClass = false
      else if (source[end] === '/' && !inClass) return end + 1
    }
    return from + 1
  }

  readCode(false)
  return { code, literals }
}

function unescaped(text: string): string {
  return text.replace(
    /\\(u\{([0-9a-f]+)\}|u([0-9a-f]{4})|x([0-9a-f]{2})|[^])/gi,
    (_, escape: string, ...codes: (string | undefined)[]) => {
      const code = codes.slice(0, 3).find(candidate => candidate !== undefined)
      if (code !== undefined) return String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(code, 16)))
      return { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', '0': '\0' }[escape] ?? escape
    },
  )
}
