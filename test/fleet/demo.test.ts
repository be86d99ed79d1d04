import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

interface Outcome {
  readonly contender: string
  readonly requests: number
  readonly databaseQueries: number
  readonly callsThatWaited: number
  readonly staleAfterDelete: number | null
  readonly failures: number
}

interface Report {
  readonly workers: number
  readonly scenes: readonly { readonly scene: string; readonly products: number; readonly contenders: readonly Outcome[] }[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const timeoutMs = 180_000

/** The demo in a process group of its own, with a Redis and a Postgres of its own. */
function startDemo(...flags: string[]): ChildProcess {
  const { REDIS_URL: _redis, DATABASE_URL: _database, ...env } = process.env
  return spawn('npm', ['run', '--silent', 'demo', '--', ...flags], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The processes of the demo's group, workers, Redis and Postgres included. Ones that ended but were not collected do not count. */
async function stillRunning(demo: ChildProcess): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pgid=,stat=,args='])
  return stdout.split('\n').filter(line => {
    const [group, state] = line.trim().split(/\s+/)
    return Number(group) === demo.pid && state?.startsWith('Z') === false
  })
}

function contenders(report: Report, name: string): { plain: Outcome; leasehold: Outcome; products: number } {
  const scene = report.scenes.find(candidate => candidate.scene === name)!
  const [plain, leasehold] = scene.contenders
  expect([plain?.contender, leasehold?.contender]).toEqual(['cache-aside', 'Leasehold'])
  return { plain: plain!, leasehold: leasehold!, products: scene.products }
}

test(
  'the demo shows one query per key, no stale answer after a delete, and leaves nothing running',
  { timeout: timeoutMs },
  async () => {
    const demo = startDemo('--json', '--quick')
    const [output, errors, [code]] = await Promise.all([text(demo.stdout!), text(demo.stderr!), once(demo, 'exit')])
    expect(code, errors).toBe(0)
    await expect.poll(() => stillRunning(demo), { timeout: 10_000 }).toEqual([])
    const report = JSON.parse(output) as Report
    expect(report.workers).toBe(4)

    const cold = contenders(report, 'cold start')
    expect(cold.leasehold.databaseQueries).toBe(cold.products)
    expect(cold.plain.databaseQueries).toBeGreaterThan(cold.products)

    const hot = contenders(report, 'hot keys expire')
    expect(hot.leasehold.databaseQueries).toBeLessThan(hot.plain.databaseQueries)

    const deleted = contenders(report, 'delete mid-load')
    expect(deleted.leasehold.staleAfterDelete).toBe(0)
    expect(deleted.plain.staleAfterDelete).toBeGreaterThan(0)

    for (const { plain, leasehold } of [cold, hot, deleted]) {
      expect(leasehold.requests).toBe(plain.requests)
      expect([plain.failures, leasehold.failures]).toEqual([0, 0])
    }
  },
)

test('without Redis the demo says what it cannot show, and goes on in one worker', { timeout: timeoutMs }, async () => {
  const demo = startDemo('--json', '--quick', '--no-redis')
  const [output, errors, [code]] = await Promise.all([text(demo.stdout!), text(demo.stderr!), once(demo, 'exit')])
  expect(code, errors).toBe(0)
  const report = JSON.parse(output) as Report & { readonly notShown: readonly string[] }
  expect(report.workers).toBe(1)
  expect(report.notShown.join(' ')).toContain('Not shown')
  const cold = contenders(report, 'cold start')
  expect(cold.leasehold.databaseQueries).toBe(cold.products)
  expect(contenders(report, 'delete mid-load').leasehold.staleAfterDelete).toBe(0)
})

test('an interrupted demo ends and leaves nothing running', { timeout: timeoutMs }, async () => {
  const demo = startDemo('--json', '--quick')
  const exited = once(demo, 'exit')
  await untilSays(demo, 'cold start')
  process.kill(-demo.pid!, 'SIGINT')
  await exited
  await expect.poll(() => stillRunning(demo), { timeout: 10_000 }).toEqual([])
})

function untilSays(demo: ChildProcess, words: string): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    demo.stderr!.on('data', chunk => {
      said += String(chunk)
      if (said.includes(words)) resolve()
    })
    demo.once('exit', () => reject(new Error(`the demo ended before it said "${words}": ${said}`)))
  })
}
