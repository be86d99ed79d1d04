import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const reliability = 'docs/reliability.md'

function fileOf(page: string): URL {
  return new URL(`../${page}`, import.meta.url)
}

/** Puts `text` between the page's `<!-- name:begin -->` and `<!-- name:end -->`. */
export function writeSection(name: string, text: string, page: string = reliability): void {
  const before = readFileSync(fileOf(page), 'utf8')
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const from = before.indexOf(begin)
  const to = before.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`${page} has no ${begin} … ${end}`)
  writeFileSync(fileOf(page), `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`)
}

/** What stands between the page's marks now. */
export function readSection(name: string, page: string = reliability): string {
  const text = readFileSync(fileOf(page), 'utf8')
  const from = text.indexOf(`<!-- ${name}:begin -->`)
  return from === -1 ? '' : text.slice(from, text.indexOf(`<!-- ${name}:end -->`, from))
}

/** When and where figures were measured. */
export function describeMachine(redisVersion: string): string {
  const date = new Date().toISOString().slice(0, 10)
  return `Measured ${date}: Node ${process.version}, Redis ${redisVersion}, ${availableParallelism()} cores (${process.platform} ${process.arch}).`
}
