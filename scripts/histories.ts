/** `npm run test:histories`: records what real processes read and wrote on a real Redis, and looks for reads that broke the promise about revoked values. */
import { runHistory } from '../test/histories/run-history.ts'
import { describeHistory } from '../test/histories/describe-history.ts'
import { findRedis } from './find-redis.ts'
import { off, readFlags, refuse, whole } from './flags.ts'
import { describeMachine, writeSection } from './reliability-page.ts'
import { startRedis } from './start-redis.ts'

const help = `npm run test:histories -- [flags]

Real processes on a real Redis record what each read returned and when each write was acknowledged; a checker looks for reads that broke a promise.

  --operations <n>  how many (100000)
  --processes <n>   by how many processes (4)
  --seed <n>        of what they do (1)
  --copies          they answer from copies of their own, over a bus that is cut again and again
  --validated       values are large, and those that are remembered vouched for by their headers
  --write           puts the result into docs/reliability.md

REDIS_URL names a Redis to use; else it starts one of its own. Ends with 1 when there is such a read.`
const flags = readFlags(help, {
  operations: whole(1, 100_000),
  processes: whole(1, 4),
  seed: whole(0, 1),
  copies: off,
  validated: off,
  write: off,
})

const plain = { local: undefined, section: 'histories', title: '' } as const
const copied = { local: 'trust', section: 'histories-copies', title: ', with copies' } as const
const validated = {
  local: 'validate',
  section: 'histories-validated',
  title: ', large values vouched for by their headers',
} as const
if (flags.copies && flags.validated) refuse('--copies and --validated are two ways to keep values in memory: one of them')
const kind = flags.copies ? copied : flags.validated ? validated : plain

async function main(): Promise<number> {
  const found = await findRedis()
  if (found.kind === 'none') {
    process.stderr.write(`${found.advice}\n`)
    return 1
  }
  const own = found.kind === 'program' ? await startRedis({ program: found.path }) : undefined
  const { operations, processes, seed } = flags
  try {
    // On a server of our own alone are all subscribers ours.
    const cutsBus = flags.copies && own !== undefined
    const redisUrl = found.kind === 'url' ? found.url : (own?.url ?? '')
    const result = await runHistory({
      redisUrl,
      operations,
      processes,
      seed,
      ...(kind.local === undefined ? {} : { local: kind.local }),
      cutsBus,
      onProgress: made => progress(made, operations),
    })
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    const version = found.kind === 'program' ? found.version : '(REDIS_URL)'
    const lines = `${processes} processes, seed ${seed}${kind.title}\n${describeHistory(result)}`
    const text = `${describeMachine(version)}\n\n\`\`\`\n${lines}\n\`\`\``
    process.stdout.write(`${text}\n`)
    if (flags.write) writeSection(kind.section, text)
    return result.findings.counts.violations === 0 && result.unhandled.length === 0 ? 0 : 1
  } finally {
    await own?.stop()
  }
}

let printedTenths = 0

/** A bar on a terminal; elsewhere a line for each tenth. */
function progress(made: number, operations: number): void {
  const tenths = Math.floor((made / operations) * 10)
  const text = `${made.toLocaleString('en')} of ${operations.toLocaleString('en')} operations`
  if (process.stderr.isTTY) process.stderr.write(`\r[${'#'.repeat(tenths * 4).padEnd(40, '.')}] ${text} `)
  else if (tenths > printedTenths) process.stderr.write(`${text}\n`)
  printedTenths = Math.max(printedTenths, tenths)
}

process.exitCode = await main()
