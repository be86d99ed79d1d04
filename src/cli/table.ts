import { stripVTControlCharacters } from 'node:util'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Rows in aligned columns, two spaces between them. Cells may be coloured. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns.map(({ title }) => title), ...rows]
  const widths = columns.map((_, at) => Math.max(...lines.map(cells => widthOf(cells[at] ?? ''))))
  return lines.map(cells =>
    columns
      .map(({ align = 'left' }, at) => pad(cells[at] ?? '', widths[at] ?? 0, align))
      .join('  ')
      .trimEnd(),
  )
}

/** Cut to `width` characters, with an ellipsis where something is left out. Only for text without colours. */
export function cut(text: string, width: number): string {
  const characters = Array.from(text)
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`
}

// oxlint-disable-next-line no-control-regex
const colourOrCharacter = /\u001B\[[\d;]*m|[^]/gu
const resetColours = '\u001B[0m'

/** A coloured line, cut to `width` characters. */
export function cutLine(line: string, width: number): string {
  if (widthOf(line) <= width) return line
  let shown = ''
  let left = width - 1
  for (const [piece] of line.matchAll(colourOrCharacter)) {
    if (!piece.startsWith('\u001B') && left-- <= 0) break
    shown += piece
  }
  return `${shown}…${shown.includes('\u001B') ? resetColours : ''}`
}

/** What would move the cursor or colour the screen is shown as a question mark: keys are anybody's text. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?')
}

/** Lines of at most `width` characters, broken at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line)
        line = word
      } else line += line === '' ? word : ` ${word}`
    }
    lines.push(line)
  }
  return lines
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + space : space + text
}

function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length
}
