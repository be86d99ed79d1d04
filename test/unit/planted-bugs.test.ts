import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mutantGroups } from '../mutants/mutants.ts'
import { killersIn } from '../mutants/table.ts'
import { planted } from '../mutants/workshop.ts'

const root = new URL('../../', import.meta.url)
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const mutants = mutantGroups.flatMap(group => group.mutants)

/** Code that changes takes the place of its mutants away: give them a new one, and run `npm run test:mutants`. */
describe('the bugs that npm run test:mutants plants', () => {
  it.each(mutants.map(mutant => [mutant.name, mutant] as const))(
    '%s has its place in the code and its tests',
    (_name, mutant) => {
      const text = textOf(mutant.file)
      expect(planted(mutant, text)).not.toBe(text)
      for (const file of mutant.tests) expect(existsSync(new URL(file, root)), file).toBe(true)
    },
  )

  it('have names of their own, and all of them stand in docs/reliability.md with the test that notices', () => {
    const names = mutants.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect([...killersIn(textOf('docs/reliability.md')).keys()]).toEqual(names)
  })
})
