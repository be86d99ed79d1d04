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

export function tables(killers: Killers): string {
  return mutantGroups.map(each => group(each, killers)).join('\n\n')
}

/** What the tables of the page say now. */
export function killersIn(page: string): Killers {
  const rows = page.slice(page.indexOf(begin), page.indexOf(end)).matchAll(/^\| `([\w-]+)`\s*\|.*\| (.*?)\s*\|$/gm)
  return new Map([...rows].map(([, name, test]) => [name as string, (test as string).replaceAll('\\|', '|')]))
}
