/**
 * `npm run test:soak -- --minutes 30`: several processes under random faults of Redis, of the network and of each other, with what they read checked
 * and their memory measured. `--write` puts the result into docs/reliability.md. Ends with 1 on a violation, an unhandled rejection, a call that does not settle, or memory or handles that grow.
 */
import { describeCounts, listed } from '../test/histories/describe-history.ts'
import { settled, slopeOf, type Sample } from '../test/soak/slope.ts'
import { soak, type Soaked } from '../test/soak/soak.ts'
import { findProgram } from './find-redis.ts'
import { above0, off, readFlags, whole } from './flags.ts'
import { describeMachine, writeSection } from './reliability-page.ts'

const help = `npm run test:soak -- [flags]

Several processes under random faults of Redis, of the network and of each other, with what they read checked and their memory measured.

  --minutes <n>  for how long (10); below 1 it is too short to tell whether memory grows
  --seed <n>     of the faults and of what the processes do (1)
  --write        puts the result into docs/reliability.md

Ends with 1 on a violation, a rejection that nobody handles, a call that does not settle, or memory or handles that grow.`
const flags = readFlags(help, { minutes: above0(10), seed: whole(0, 1), write: off })
const { minutes, seed } = flags

/** A rise that is both beyond its own noise and worth a thought. */
const surelyBeyond = 3
const worthBytesAMinute = 2048
const worthHandlesAMinute = 0.02

function progress({ rounds, minutes: passed, counts, failures, faults, usage }: Soaked): void {
  const heaps = usage.map(({ heapBytes }) => `${((heapBytes.at(-1)?.value ?? 0) / 2 ** 20).toFixed(2)} MiB`).join(', ')
  const made = Object.values(faults).reduce((sum, count) => sum + count, 0)
  process.stderr.write(
    `${passed.toFixed(1)} of ${minutes} min, round ${rounds}: ${made} faults, ${counts.operations.toLocaleString('en')} operations, ` +
      `${counts.violations} violations, ${failures.length} failures; heaps ${heaps}\n`,
  )
}

interface Trend {
  readonly text: string
  readonly grows: boolean
}

function trend(name: string, samples: readonly Sample[], unit: string, worth: number): Trend {
  const { perUnit, error, samples: count } = slopeOf(settled(samples))
  if (Number.isNaN(perUnit)) return { text: `${name}: too short for a slope (${samples.length} samples)`, grows: false }
  const values = settled(samples).map(({ value }) => value)
  const grows = perUnit > surelyBeyond * error && perUnit > worth
  const range = `${Math.min(...values).toLocaleString('en')} to ${Math.max(...values).toLocaleString('en')}`
  return {
    text: `${name}: ${perUnit.toFixed(2)} ± ${error.toFixed(2)} ${unit} a minute over the last ${count} samples (${range})${grows ? ' GROWS' : ''}`,
    grows,
  }
}

function trends({ usage }: Soaked): Trend[] {
  return usage.flatMap(({ heapBytes, codeBytes, externalBytes, resources }, place) => [
    trend(`process ${place + 1}, heap`, heapBytes, 'bytes', worthBytesAMinute),
    // Shown, not judged.
    trend(`process ${place + 1}, compiled code`, codeBytes, 'bytes', Infinity),
    trend(`process ${place + 1}, memory outside the heap`, externalBytes, 'bytes', worthBytesAMinute),
    trend(`process ${place + 1}, handles`, resources, '', worthHandlesAMinute),
  ])
}

async function main(): Promise<number> {
  const found = await findProgram()
  if (found.kind === 'none') {
    process.stderr.write(`${found.advice}\n`)
    return 1
  }
  process.env['REDIS_SERVER'] = found.path
  const result = await soak({ minutes, seed, onRound: progress })
  const grown = trends(result)
  const { counts, faults, events, errors, violations, failures, usage } = result
  const lines: string[] = []
  const say = (line: string): void => void lines.push(line)
  say(`seed ${seed}`)
  say(
    `${result.minutes.toFixed(1)} minutes, ${counts.operations.toLocaleString('en')} operations, ${counts.loads.toLocaleString('en')} loads`,
  )
  say(`faults: ${listed(faults)}`)
  for (const line of describeCounts(counts)) say(line)
  say(`events: ${listed(events)}`)
  say(`errors that callers saw: ${listed(errors)}`)
  for (const { text } of grown) say(text)
  say(`handles at the end: ${usage.map(({ kinds }) => listed(kinds)).join('; ')}`)
  for (const text of [...violations.slice(0, 10), ...failures.slice(0, 20)]) say(text)
  say(`violations: ${counts.violations}; unhandled or unsettled: ${failures.length}`)
  const text = `${describeMachine(found.version)}\n\n\`\`\`\n${lines.join('\n')}\n\`\`\``
  process.stdout.write(`${text}\n`)
  if (flags.write) writeSection('soak', text)
  return counts.violations === 0 && failures.length === 0 && !grown.some(({ grows }) => grows) ? 0 : 1
}

process.exitCode = await main()
