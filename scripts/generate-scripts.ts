/**
 * Turns `src/redis/lua/*.lua` into one typed module, so that nothing is read from disk at run time.
 * `--check` writes nothing and fails when the checked-in module is not what the sources give.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const luaFolder = new URL('../src/redis/lua/', import.meta.url)
const target = new URL('../src/redis/scripts.gen.ts', import.meta.url)

const sections = ['KEYS', 'ARGV', 'RETURNS'] as const
type Section = (typeof sections)[number]

interface Header {
  readonly KEYS: readonly string[]
  readonly ARGV: readonly string[]
}

/** Replaces each `--@include name` line by `include/name.lua`. Includes do not nest. */
function expand(source: string): string {
  return source.replace(/^--@include (\S+)\n/gm, (_, name: string) =>
    readFileSync(new URL(`include/${name}.lua`, luaFolder), 'utf8'),
  )
}

/** The names under KEYS and ARGV. Every script states all three sections, in this order. */
function parseHeader(name: string, source: string): Header {
  const found: Record<Section, string[]> = { KEYS: [], ARGV: [], RETURNS: [] }
  let next = 0
  for (const line of source.split('\n')) {
    if (!line.startsWith('--') || line.startsWith('--@')) {
      if (next > 0) break
      continue
    }
    if (line === `-- ${sections[next]}`) next++
    else if (next > 0) {
      const entry = /^--   (\S+)/.exec(line)?.[1]
      if (entry === undefined) throw new Error(`${name}.lua: "${line}" is not an indented entry`)
      found[sections[next - 1] as Section].push(entry)
    }
  }
  if (next !== sections.length) throw new Error(`${name}.lua: the header has no ${sections[next]} section`)
  return found
}

/** `['a', 'b...']` as the members of a labelled tuple type. */
function tuple(names: readonly string[], type: string): string {
  return `[${names.map(name => (name.endsWith('...') ? `...${name.slice(0, -3)}: ${type}[]` : `${name}: ${type}`)).join(', ')}]`
}

/** `bump-tags` as TypeScript names it. */
function identifier(name: string): string {
  return name.replace(/-./g, dashed => dashed.charAt(1).toUpperCase())
}

function generate(): string {
  const names = readdirSync(luaFolder)
    .filter(file => file.endsWith('.lua'))
    .map(file => file.slice(0, -'.lua'.length))
    .toSorted()
  const scripts = names.map(name => {
    const raw = readFileSync(new URL(`${name}.lua`, luaFolder), 'utf8')
    const { KEYS, ARGV } = parseHeader(name, raw)
    const source = expand(raw)
    const sha1 = createHash('sha1').update(source).digest('hex')
    return [
      `export const ${identifier(name)}: Script<${tuple(KEYS, 'string')}, ${tuple(ARGV, 'ScriptArgument')}> = {`,
      `  name: '${name}',`,
      `  sha1: '${sha1}',`,
      `  source:`,
      `    ${JSON.stringify(source)},`,
      '}',
    ].join('\n')
  })
  const head =
    "// Generated from lua/*.lua by scripts/generate-scripts.ts. Do not edit.\nimport type { Script, ScriptArgument } from './script.ts'\n"
  return `${head}\n${scripts.join('\n\n')}\n`
}

const generated = generate()
if (process.argv.includes('--check')) {
  const current = readFileSync(target, 'utf8')
  if (current !== generated) {
    console.error(`${fileURLToPath(target)} is not what the Lua sources give. Run: npx tsx scripts/generate-scripts.ts`)
    process.exitCode = 1
  }
} else {
  writeFileSync(target, generated)
}
