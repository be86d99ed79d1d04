/**
 * `npm test`: finds a Redis first, then runs every check and all tests, one after the other. Arguments go to vitest.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { findPrometheus } from './find-prometheus.ts'
import { findProgram, findRedis } from './find-redis.ts'

interface Tally {
  readonly passed: number
  readonly failed: number
}

interface Check {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'lint', command: ['oxlint'] },
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'generated scripts', command: ['tsx', 'scripts/generate-scripts.ts', '--check'] },
  { name: 'dashboard and alert rules', command: ['tsx', 'scripts/generate-ops.ts', '--check'] },
  { name: 'generated Redis configurations', command: ['tsx', 'scripts/generate-redis-conf.ts', '--check'] },
]

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const bin = (name: string): string => join('node_modules', '.bin', name)
const env: NodeJS.ProcessEnv = process.stdout.isTTY
  ? { ...process.env }
  : { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined }

async function main(): Promise<number> {
  // The first is shared by most tests; the second is for those that stop, pause or fill a server.
  const shared = await findRedis({ say })
  const own = shared.kind === 'url' ? await findProgram({ say }) : shared
  for (const found of [shared, own]) {
    if (found.kind === 'none') {
      say(found.advice)
      return 1
    }
  }
  if (own.kind === 'program') env['REDIS_SERVER'] = own.path
  say(`Redis: ${shared.kind === 'url' ? 'REDIS_URL, and ' : ''}${own.kind === 'program' ? `${own.path} ${own.version}` : ''}`)
  const prometheus = await findPrometheus({ say })
  if (prometheus.kind === 'none')
    say(`${prometheus.advice} Without it the tests of the alert rules and of the dashboard are skipped.`)

  const tallies: Tally[] = []
  for (const check of checks) tallies.push(await runCheck(check))
  tallies.push(await runTests(process.argv.slice(2)))
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0)
  const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0)
  say(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

async function runCheck({ name, command: [program, ...args] }: Check): Promise<Tally> {
  const start = performance.now()
  const { code, output } = await run(bin(program), args, 'collect')
  say(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds(start)})`)
  if (code !== 0) say(process.stdout.isTTY ? output : stripVTControlCharacters(output))
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

async function runTests(args: readonly string[]): Promise<Tally> {
  const start = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'leasehold-test-'))
  const report = join(folder, 'report.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { code } = await run(bin('vitest'), ['run', ...reporters, ...args], 'show')
    const { numPassedTests: passed, numFailedTests } = readReport(report)
    // A file that does not load, or an error outside any test, fails no test but does fail the run.
    const failed = code === 0 ? numFailedTests : Math.max(1, numFailedTests)
    say(`${failed === 0 ? 'ok  ' : 'FAIL'} tests (${seconds(start)})`)
    return { passed, failed }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readReport(path: string): { numPassedTests: number; numFailedTests: number } {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { numPassedTests: number; numFailedTests: number }
  } catch {
    return { numPassedTests: 0, numFailedTests: 1 }
  }
}

function run(file: string, args: readonly string[], output: 'show' | 'collect'): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    const child = spawn(file, args, {
      env,
      stdio: ['ignore', output === 'show' ? 'inherit' : 'pipe', output === 'show' ? 'inherit' : 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (text += data.toString()))
    child.once('error', error => resolve({ code: 1, output: error.message }))
    child.once('close', code => resolve({ code: code ?? 1, output: text }))
  })
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`
}

process.exitCode = await main()
