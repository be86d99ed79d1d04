import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CliError, exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { findKeyUses } from '../lint-keys/find-key-uses.ts'
import { judgeKeyList, judgeKeys, type KeyProblem } from '../lint-keys/judge-keys.ts'
import { plural } from '../quantities.ts'
import { printable } from '../table.ts'

export interface LintKeysOptions {
  /** Files and folders of source code. */
  readonly paths: readonly string[]
  /** A file of keys, one in each line; `-` is standard input. */
  readonly keys: string | undefined
  readonly json: boolean
}

const sourceFile = /(?<!\.d)\.[cm]?[jt]sx?$/
const leftOut = new Set(['node_modules', 'dist', 'build', 'coverage', '.git'])
const standardInput = 0

/** @returns 1 when a rule is broken */
export function lintKeys(console: Console, { paths, keys, json }: LintKeysOptions): number {
  const files = paths.flatMap(sourcesIn)
  const uses = files.map(file => ({ file: relative('', file), uses: findKeyUses(read(file)) }))
  const listed = keys === undefined ? [] : judgeKeyList(keys === '-' ? 'stdin' : keys, read(keys === '-' ? standardInput : keys))
  const problems = [...judgeKeys(uses), ...listed]
  const definitions = uses.flatMap(each => each.uses).filter(({ kind }) => kind !== 'key').length
  if (json) console.json({ files: files.length, definitions, problems })
  else
    print(
      console,
      problems,
      `${plural(problems.length, 'problem')}; ${plural(definitions, 'definition')} in ${plural(files.length, 'file')}`,
    )
  return problems.length === 0 ? exitCodes.fine : exitCodes.found
}

function print(console: Console, problems: readonly KeyProblem[], summary: string): void {
  for (const { file, line, column, rule, message } of problems) {
    console.line(`${file}:${line}:${column}  ${console.paint('red', rule)}  ${printable(message)}`)
  }
  console.line(summary)
}

function sourcesIn(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
  } catch {
    throw new CliError(`there is no file or folder "${path}"`)
  }
  const children = readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return children.flatMap(child => {
    const inner = join(path, child.name)
    if (child.isDirectory()) return leftOut.has(child.name) ? [] : sourcesIn(inner)
    return child.isFile() && sourceFile.test(child.name) ? [inner] : []
  })
}

function read(file: string | typeof standardInput): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new CliError(`"${file}" cannot be read`)
  }
}
