import { defineKey, isCanonicalKey, isLeaseholdError } from '../../index.ts'
import type { KeyUse } from './find-key-uses.ts'

export interface KeyProblem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly rule: 'name' | 'duplicate-name' | 'computed-name' | 'key-by-hand'
  readonly message: string
}

export interface FileUses {
  readonly file: string
  readonly uses: readonly KeyUse[]
}

/** What is wrong with the definitions and keys of a code base: the rules of docs/keys.md. */
export function judgeKeys(files: readonly FileUses[]): KeyProblem[] {
  const firstByName = new Map<string, string>()
  return files.flatMap(({ file, uses }) =>
    uses.flatMap(use => {
      const { line, column } = use
      const found = use.kind === 'key' ? judgeKey(use) : judgeDefinition(use, `${file}:${line}`, firstByName)
      return found === undefined ? [] : [{ file, line, column, ...found }]
    }),
  )
}

type Judgement = Pick<KeyProblem, 'rule' | 'message'> | undefined

function judgeDefinition({ kind, text }: KeyUse, place: string, firstByName: Map<string, string>): Judgement {
  if (text === undefined)
    return { rule: 'computed-name', message: 'write the name of a key out, so that it can be found and checked' }
  const wrong = nameProblem(text)
  if (wrong !== undefined) return { rule: 'name', message: wrong }
  // Resources of two caches may share a name; a cache refuses the second of its own itself.
  if (kind === 'resource') return undefined
  const first = firstByName.get(text)
  if (first !== undefined)
    return { rule: 'duplicate-name', message: `"${text}" is defined at ${first} too: the two share their keys` }
  firstByName.set(text, place)
  return undefined
}

function nameProblem(name: string): string | undefined {
  try {
    defineKey(name)
    return undefined
  } catch (error) {
    if (!isLeaseholdError(error)) throw error
    return error.message
  }
}

function judgeKey({ text }: KeyUse): Judgement {
  if (text === undefined)
    return { rule: 'key-by-hand', message: 'this key is put together by hand: let a defineKey builder spell it' }
  if (isCanonicalKey(text)) return undefined
  return { rule: 'key-by-hand', message: `"${text}" is no key that a defineKey builder makes` }
}

/** Keys as they were seen at work, one in each line. */
export function judgeKeyList(file: string, text: string): KeyProblem[] {
  return text.split(/\r?\n/).flatMap((key, at): KeyProblem[] => {
    if (key === '' || isCanonicalKey(key)) return []
    return [{ file, line: at + 1, column: 1, rule: 'key-by-hand', message: `"${key}" is no key that a defineKey builder makes` }]
  })
}
