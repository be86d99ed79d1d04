/**
 * `npm run test:mutants`: plants one defect after the other and must see the tests fail each time. Writes who noticed what into
 * docs/reliability.md. `--only name` (a part of it is enough) runs those alone, `--list` shows them, `--check` runs nothing and fails when the
 * page does not name the same defects or one of them has lost its place.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Mutant } from '../test/mutants/mutant.ts'
import { mutantGroups } from '../test/mutants/mutants.ts'
import { killersIn, tables } from '../test/mutants/table.ts'
import { planted, type Verdict, Workshop } from '../test/mutants/workshop.ts'
import { off, readFlags, refuse, texts } from './flags.ts'
import { writeSection } from './reliability-page.ts'
import { startRedis } from './start-redis.ts'

const page = fileURLToPath(new URL('../docs/reliability.md', import.meta.url))
const atOnce = 2

const help = `npm run test:mutants -- [flags]

Plants one defect after the other in a copy of the repository and must see the tests named for it fail. When all are noticed, docs/reliability.md tells by which test.

  --only <name>  those whose name has this in it; may be given again
  --list         shows them, and runs nothing
  --check        runs nothing; fails when one has lost its place in the code, or the page does not name the same ones

Ends with 1 when one was not noticed.`
const flags = readFlags(help, { only: texts, list: off, check: off })
const all: readonly Mutant[] = mutantGroups.flatMap(({ mutants }) => mutants)
const chosen = all.filter(({ name }) => flags.only === undefined || flags.only.some(part => name.includes(part)))
if (chosen.length === 0) refuse('no mutant has such a name; --list shows them')
const say = (line: string): void => void process.stdout.write(`${line}\n`)

function list(): number {
  for (const { title, mutants } of mutantGroups) {
    say(`${title}:`)
    for (const { name, does } of mutants) say(`  ${name}: ${does}`)
  }
  say(`${all.length} mutants`)
  return 0
}

async function check(): Promise<number> {
  const told = [...killersIn(await readFile(page, 'utf8')).keys()]
  const names = all.map(({ name }) => name)
  const wrong = [
    ...(await Promise.all(all.map(misplaced))).filter(line => line !== undefined),
    ...names.filter(name => !told.includes(name)).map(name => `docs/reliability.md does not name ${name}`),
    ...told.filter(name => !names.includes(name)).map(name => `docs/reliability.md names ${name}, which is planted no more`),
  ]
  for (const line of wrong) say(line)
  say(wrong.length === 0 ? `${all.length} mutants, each in its place and on the page` : 'Mend it, then: npm run test:mutants')
  return wrong.length === 0 ? 0 : 1
}

async function misplaced(mutant: Mutant): Promise<string | undefined> {
  const text = await readFile(fileURLToPath(new URL(`../${mutant.file}`, import.meta.url)), 'utf8')
  try {
    planted(mutant, text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

async function runAll(): Promise<number> {
  const startedAt = performance.now()
  const redis = await startRedis()
  const workshops = await Promise.all(Array.from({ length: Math.min(atOnce, chosen.length) }, () => Workshop.open(redis.url)))
  const close = async (): Promise<void> => {
    await Promise.all([...workshops.map(workshop => workshop.close()), redis.stop()])
  }
  try {
    if (!(await control(workshops[0] as Workshop))) return 1
    const verdicts = await tryAll(workshops)
    const alive = chosen.filter(({ name }) => verdicts.get(name)?.kind !== 'killed')
    if (alive.length === 0) await tell(verdicts)
    say(`${chosen.length - alive.length} of ${chosen.length} killed in ${seconds(startedAt)}`)
    for (const { name } of alive) say(`  not killed: ${name}`)
    return alive.length === 0 ? 0 : 1
  } finally {
    await close()
  }
}

/** Without a mutant the same tests must pass, or their failures show nothing. */
async function control(workshop: Workshop): Promise<boolean> {
  const startedAt = performance.now()
  const verdict = await workshop.test([...new Set(chosen.flatMap(({ tests }) => tests))])
  say(verdict.kind === 'survived' ? `control: the tests pass (${seconds(startedAt)})` : `control: ${described(verdict)}`)
  return verdict.kind === 'survived'
}

async function tryAll(workshops: readonly Workshop[]): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>()
  const waiting = chosen.values()
  const work = async (workshop: Workshop): Promise<void> => {
    // Both take from one queue.
    for (const mutant of waiting) {
      const startedAt = performance.now()
      const verdict = await workshop.try(mutant)
      verdicts.set(mutant.name, verdict)
      const place = `${verdicts.size}/${chosen.length}`.padStart(7)
      say(`${place} ${verdict.kind.padEnd(8)} ${mutant.name} (${seconds(startedAt)}) ${described(verdict)}`)
    }
  }
  await Promise.all(workshops.map(work))
  return verdicts
}

async function tell(verdicts: ReadonlyMap<string, Verdict>): Promise<void> {
  const killers = new Map(killersIn(await readFile(page, 'utf8')))
  for (const [name, verdict] of verdicts) if (verdict.kind === 'killed') killers.set(name, verdict.test)
  writeSection('mutants', tables(killers))
}

function described(verdict: Verdict): string {
  if (verdict.kind === 'survived') return 'no test failed'
  return verdict.kind === 'killed' ? `by "${verdict.test}": ${verdict.message.slice(0, 160)}` : verdict.message
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`
}

process.exitCode = flags.list ? list() : flags.check ? await check() : await runAll()
