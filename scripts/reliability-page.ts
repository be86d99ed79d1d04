import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const page = new URL('../docs/reliability.md', import.meta.url)

/** Puts `text` between the page's `<!-- name:begin -->` and `<!-- name:end -->`. */
export function writeSection(name: string, text: string): void {
  const before = readFileSync(page, 'utf8')
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const from = before.indexOf(begin)
  const to = before.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`docs/reliability.md has no ${begin} … ${end}`)
  writeFileSync(page, `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`)
}

/** What stands between the page's marks now. */
export function readSection(name: string): string {
  const text = readFileSync(page, 'utf8')
  const from = text.indexOf(`<!-- ${name}:begin -->`)
  return from === -1 ? '' : text.slice(from, text.indexOf(`<!-- ${name}:end -->`, from))
}

/** When and where figures were measured. */
export function describeMachine(redisVersion: string): string {
  const date = new Date().toISOString().slice(0, 10)
  return `Measured ${date}: Node ${process.version}, Redis ${redisVersion}, ${availableParallelism()} cores (${process.platform} ${process.arch}).`
}
