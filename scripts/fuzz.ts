/**
 * `npm run test:fuzz -- --minutes N`: goes on reading random bytes, messages and replies for N minutes (default 1), target by target with new
 * seeds, each batch in a process of its own so that one that hangs is noticed. `--only name` (a part of it is enough) picks targets. A failure
 * prints the seed; `--only name --seed S` plays it again.
 */
import { fork } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { byteTargets } from '../test/property/fuzz/bytes.ts'
import { messageTargets } from '../test/property/fuzz/messages.ts'

const batchRuns = 5_000
/** A batch takes seconds. */
const hungMs = 120_000

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    seed: { type: 'string' },
    batch: { type: 'boolean', default: false },
  },
})
const targets = [...byteTargets, ...messageTargets].filter(({ name }) => name.includes(flags.only))
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
  const minutes = Number(flags.minutes)
  if (!(minutes > 0) || targets.length === 0) {
    say(`give --minutes above 0, and --only part of: ${[...byteTargets, ...messageTargets].map(({ name }) => name).join(' · ')}`)
    return 1
  }
  const start = performance.now()
  const elapsed = (): number => (performance.now() - start) / 60_000
  let runs = 0
  for (let round = 1; ; round++) {
    for (const { name } of targets) {
      const seed = flags.seed === undefined ? randomInt(2 ** 31) : Number(flags.seed)
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

if (flags.batch) runBatch(flags.only, Number(flags.seed))
else process.exitCode = await main()
