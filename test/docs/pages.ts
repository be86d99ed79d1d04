import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The repository's root. */
export const root: string = join(import.meta.dirname, '../..')

export interface Page {
  /** From the root: `docs/options.md`. */
  readonly path: string
  readonly text: string
}

/** The README and everything in `docs`. */
export function allPages(): Page[] {
  const paths = ['docs', 'docs/runbooks'].flatMap(folder => readdirSync(`${root}/${folder}`).map(name => `${folder}/${name}`))
  return ['README.md', ...paths.filter(path => path.endsWith('.md'))].map(page)
}

export function page(path: string): Page {
  return { path, text: readFileSync(`${root}/${path}`, 'utf8') }
}

/** A page without its code blocks, line for line. */
export function prose({ text }: Pick<Page, 'text'>): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, block => block.replaceAll(/[^\n]/g, ''))
}

/** What stands below each `## ` heading, by the heading's text without backticks. */
export function sections(shown: Page): ReadonlyMap<string, string> {
  const parts = prose(shown)
    .split(/^## /m)
    .slice(1)
    .map(part => part.split(/\n([\s\S]*)/) as [string, string])
  return new Map(parts.map(([heading, body]) => [heading.replaceAll('`', '').trim(), body]))
}

/** The rows of the tables in `text`, without their heads; cells are trimmed. */
export function tableRows(text: string): string[][] {
  const rows: string[][] = []
  let inBody = false
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) inBody = false
    else if (/^\|[\s:|-]+\|$/.test(line) && line.includes('-')) inBody = true
    else if (inBody)
      rows.push(
        line
          .slice(1, -1)
          .split('|')
          .map(cell => cell.trim()),
      )
  }
  return rows
}

/** A cell's text without backticks and links. */
export function plain(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
}
