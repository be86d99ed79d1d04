import { mutantGroups, type MutantGroup } from './mutants.ts'

const begin = '<!-- mutants:begin -->'
const end = '<!-- mutants:end -->'

/** Mutant → the test that noticed it. */
export type Killers = ReadonlyMap<string, string>

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function group({ title, mutants }: MutantGroup, killers: Killers): string {
  const rows = mutants.map(({ name, does }) => `| \`${name}\` | ${cell(does)} | ${cell(killers.get(name) ?? '')} |`)
  return [`### ${title}`, '', '| planted | what it does | noticed by |', '|---|---|---|', ...rows].join('\n')
}

/** The page with the tables between its markers written anew. */
export function withTables(page: string, killers: Killers): string {
  const [before, rest] = split(page, begin)
  const [, after] = split(rest, end)
  return `${before}${begin}\n\n${mutantGroups.map(each => group(each, killers)).join('\n\n')}\n\n${end}${after}`
}

/** What the tables of the page say now. */
export function killersIn(page: string): Killers {
  const [, rest] = split(page, begin)
  const [tables] = split(rest, end)
  const rows = tables.matchAll(/^\| `([\w-]+)`\s*\|.*\| (.*?)\s*\|$/gm)
  return new Map([...rows].map(([, name, test]) => [name as string, (test as string).replaceAll('\\|', '|')]))
}

function split(page: string, marker: string): [string, string] {
  const at = page.indexOf(marker)
  if (at === -1) throw new Error(`the page has no ${marker}`)
  return [page.slice(0, at), page.slice(at + marker.length)]
}
