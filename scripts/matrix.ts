/**
 * `npm run test:matrix`: the tests that touch Redis, on each server, ioredis and Node that Leasehold promises to work with. Without flags each server,
 * each ioredis and each Node once, beside the usual others; `--all` every combination; `--redis 8.0 --ioredis 5 --node 24` one of each (the usual
 * where one is left out; each may be given several times). `--project redis` runs some of the tests only, and so do names of files. `--write` puts the
 * rows into docs/topologies.md. `--folder` is where servers and Nodes that the system lacks are kept. Ends with 1 when a test failed or a cell could not
 * be run.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { findNode, nodeVersions, ownNodeVersion, type NodeVersion } from './node-versions.ts'
import { describeVersion, findVersion, redisVersions, type RedisVersion } from './redis-versions.ts'
import { readSection, writeSection } from './reliability-page.ts'

const ioredisVersions = ['6', '5'] as const
type IoredisVersion = (typeof ioredisVersions)[number]

interface Cell {
  readonly redis: RedisVersion
  readonly ioredis: IoredisVersion
  readonly node: NodeVersion
}

interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly seconds: number
  /** Tests that failed, and why a cell could not be run. */
  readonly problems: readonly string[]
}

const { values: flags, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    redis: { type: 'string', multiple: true },
    ioredis: { type: 'string', multiple: true },
    node: { type: 'string', multiple: true },
    project: { type: 'string', multiple: true, default: ['contract', 'property', 'redis', 'cluster', 'fleet'] },
    all: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    folder: { type: 'string', default: join(homedir(), '.cache', 'leasehold') },
  },
})

/** The values of a flag, those of `all` when it was not given. */
function chosen<Value extends string>(flag: 'redis' | 'ioredis' | 'node', all: readonly Value[]): readonly Value[] {
  return (flags[flag] ?? all).map(given => {
    const known = all.find(value => value === given)
    if (known === undefined) throw new Error(`--${flag} ${given}: there are ${all.join(', ')}`)
    return known
  })
}

function cellsToRun(): readonly Cell[] {
  const nodes = [...nodeVersions].toSorted((a, b) => Number(b === ownNodeVersion) - Number(a === ownNodeVersion))
  const narrowed = flags.redis !== undefined || flags.ioredis !== undefined || flags.node !== undefined
  const of = <Value extends string>(flag: 'redis' | 'ioredis' | 'node', all: readonly Value[]): readonly Value[] =>
    flags[flag] === undefined && narrowed && !flags.all ? all.slice(0, 1) : chosen(flag, all)
  const product = of('redis', redisVersions).flatMap(redis =>
    of('ioredis', ioredisVersions).flatMap(ioredis => of('node', nodes).map(node => ({ redis, ioredis, node }))),
  )
  if (flags.all || narrowed) return product
  const usual = ({ redis, ioredis, node }: Cell): number =>
    Number(redis === redisVersions[0]) + Number(ioredis === ioredisVersions[0]) + Number(node === nodes[0])
  return product.filter(cell => usual(cell) >= 2)
}

async function runCell({ redis, ioredis, node }: Cell): Promise<Outcome> {
  const startedAt = performance.now()
  const missing = (problem: string): Outcome => ({ passed: 0, failed: 0, skipped: 0, seconds: 0, problems: [problem] })
  const server = await findVersion(redis, join(flags.folder, 'redis'))
  if (server.kind === 'none') return missing(server.advice)
  let program: string
  try {
    program = await findNode(node, flags.folder)
  } catch (error) {
    return missing(error instanceof Error ? error.message : String(error))
  }
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-matrix-'))
  const report = join(folder, 'report.json')
  const older = ioredis === '5' ? [`--import=${new URL('with-ioredis-5.mjs', import.meta.url).href}`] : []
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    // The tests start servers of their own.
    REDIS_URL: '',
    REDIS_SERVER: server.path,
    IOREDIS: ioredis,
    NODE_OPTIONS: [process.env['NODE_OPTIONS'] ?? '', ...older].join(' ').trim(),
    PATH: `${dirname(program)}:${process.env['PATH'] ?? ''}`,
  }
  const projects = flags.project.flatMap(project => ['--project', project])
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...files, ...projects, '--reporter=json', `--outputFile.json=${report}`]
  const { code, said } = await runTests(program, args, env)
  const results = await readReport(report)
  await rm(folder, { recursive: true, force: true })
  const seconds = (performance.now() - startedAt) / 1000
  if (results === undefined) return { ...missing(said.trim().split('\n').slice(-5).join(' | ')), seconds }
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, testResults } = results
  const problems = testResults.flatMap(({ name, message, assertionResults }) => [
    ...(message === '' ? [] : [`${name}: ${message}`]),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split('\n')[0] ?? ''}`),
  ])
  // An error outside any test fails none.
  if (code !== 0 && problems.length === 0) problems.push(said.trim().split('\n').slice(-5).join(' | '))
  return { passed, failed, skipped, seconds, problems }
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

async function readReport(path: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Report
  } catch {
    return undefined
  }
}

function runTests(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: number; said: string }> {
  return new Promise(resolve => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-10_000)))
    child.once('error', error => resolve({ code: 1, said: error.message }))
    child.once('close', code => resolve({ code: code ?? 1, said }))
  })
}

const page = 'docs/topologies.md'
const columns = ['Redis', 'ioredis', 'Node', 'passed', 'failed', 'skipped', 'time', 'tests']
const head = [`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`]
const nameOf = ({ redis, ioredis, node }: Cell): string => `| ${describeVersion(redis)} | ${ioredis} | ${node} |`

/** The rows that were run now, and of the others what the page says already. */
function writePage(lines: ReadonlyMap<string, string>): void {
  const told = readSection('matrix', page)
    .split('\n')
    .filter(line => /^\| (Redis|Valkey) \d/.test(line))
  const names = new Set([...told.map(line => line.split(' | ').slice(0, 3).join(' | ') + ' |'), ...lines.keys()])
  const body = [...names].map(name => lines.get(name) ?? told.find(line => line.startsWith(name)) ?? '')
  writeSection('matrix', [...head, ...body].join('\n'), page)
}

async function main(): Promise<number> {
  const lines = new Map<string, string>()
  process.stdout.write(`${head.join('\n')}\n`)
  let good = true
  for (const cell of cellsToRun()) {
    const { passed, failed, skipped, seconds, problems } = await runCell(cell)
    const tests = `${flags.project.join(', ')}${files.length === 0 ? '' : ' (in part)'}`
    const line = `${nameOf(cell)} ${[passed, failed, skipped, `${seconds.toFixed(0)} s`, tests].join(' | ')} |`
    lines.set(nameOf(cell), line)
    process.stdout.write(`${line}\n`)
    for (const problem of problems) process.stderr.write(`  ${problem}\n`)
    good &&= failed === 0 && passed > 0 && problems.length === 0
  }
  if (flags.write) writePage(lines)
  return good ? 0 : 1
}

process.exitCode = await main()
