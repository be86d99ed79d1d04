/**
 * `npm run test:fuzz -- --minutes N`: goes on reading random bytes, messages and replies for N minutes (default 1), target by target with new
 * seeds, each batch in a process of its own so that one that hangs is noticed. `--only name` (a part of it is enough) picks targets. A failure
 * prints the seed; `--only name --seed S` plays it again.
 */
import { fork } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { byteTargets } from '../test/property/fuzz/bytes.ts'
import { messageTargets } from '../test/property/fuzz/messages.ts'
import { above0, off, readFlags, refuse, text, whole } from './flags.ts'

const batchRuns = 5_000
/** A batch takes seconds. */
const hungMs = 120_000

const all = [...byteTargets, ...messageTargets]
const names = all.map(({ name }) => name).join(' · ')
const help = `npm run test:fuzz -- [flags]

Goes on reading random bytes, messages and replies, target by target with new seeds, each batch in a process of its own.

  --minutes <n>  for how long (1)
  --only <name>  targets whose name has this in it, of: ${names}
  --seed <n>     one round with this seed, to play a failure again

Ends with 1 at the first failure, and prints how to play it again.`
const flags = readFlags(help, { minutes: above0(1), only: text(''), seed: whole(0, undefined), batch: off })
const targets = all.filter(({ name }) => name.includes(flags.only))
if (targets.length === 0) refuse(`--only takes a part of: ${names}`)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Runs in a child: one target, one seed. */
function runBatch(name: string, seed: number): void {
  targets.find(target => target.name === name)?.run({ seed, numRuns: batchRuns })
}

function batch(name: string, seed: number): Promise<'passed' | 'failed' | 'hung'> {
  const child = fork(fileURLToPath(import.meta.url), ['--batch', '--only', name, '--seed', String(seed)])
  return new Promise(resolve => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      resolve('hung')
    }, hungMs)
    child.once('exit', code => {
      clearTimeout(timer)
      resolve(code === 0 ? 'passed' : 'failed')
    })
  })
}

async function main(): Promise<number> {
  const { minutes } = flags
  const start = performance.now()
  const elapsed = (): number => (performance.now() - start) / 60_000
  let runs = 0
  for (let round = 1; ; round++) {
    for (const { name } of targets) {
      const seed = flags.seed ?? randomInt(2 ** 31)
      const outcome = await batch(name, seed)
      if (outcome !== 'passed') {
        say(`${outcome}: ${name}. Again: npm run test:fuzz -- --only '${name}' --seed ${seed}`)
        return 1
      }
      runs += batchRuns
      if (flags.seed === undefined && elapsed() >= minutes) {
        say(`${runs} inputs in ${elapsed().toFixed(1)} min, ${targets.length} targets, no failure`)
        return 0
      }
    }
    say(`round ${round}: ${runs} inputs, ${elapsed().toFixed(1)} of ${minutes} min`)
    if (flags.seed !== undefined) return 0
  }
}

if (flags.batch) runBatch(flags.only, flags.seed ?? 0)
else process.exitCode = await main()
