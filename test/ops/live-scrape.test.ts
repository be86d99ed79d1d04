import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rows } from '../../ops/dashboard.ts'
import { renderRules } from '../../ops/render-rules.ts'
import { freePort } from '../../scripts/start-redis.ts'
import { missing, tools } from './tools.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const workers = 4
const scrapeMs = 500

const queries = rows
  .flatMap(({ panels }) => panels)
  .flatMap(({ title, queries: of }) => of.map(({ expr }) => ({ title, expr: filledIn(expr) })))

/** As Grafana would, which takes four scrapes for a rate. */
function filledIn(expr: string): string {
  return expr
    .replaceAll('$cache', '.*')
    .replaceAll('$server', '.*')
    .replaceAll('$__rate_interval', `${(4 * scrapeMs) / 1000}s`)
}

describe.skipIf(tools === undefined)(`a Prometheus that scrapes the demo${missing}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'leasehold-prometheus-'))
  let demo: ChildProcess
  let prometheus: ChildProcess
  let address = ''
  let playedFromMs = 0

  beforeAll(async () => {
    demo = startDemo()
    const targets = await targetsOf(demo)
    const port = await freePort()
    address = `http://127.0.0.1:${port}`
    prometheus = startPrometheus(folder, port, targets)
    playedFromMs = Date.now()
    await once(demo, 'exit')
  }, 180_000)

  afterAll(async () => {
    for (const child of [demo, prometheus]) await end(child)
    rmSync(folder, { recursive: true, force: true })
  })

  it('finds every worker of it', async () => {
    const [up] = (await seriesOf('max(count by (job) (up == 1))')) ?? []
    expect(Math.max(...(up ?? []))).toBe(workers)
    expect(demo.exitCode).toBe(0)
  })

  it('has numbers for every query of the dashboard', async () => {
    const found = await Promise.all(queries.map(({ expr }) => seriesOf(expr)))
    const without = queries.filter((_, place) => found[place]?.flat().some(Number.isFinite) !== true)
    expect(without).toEqual([])
    expect(queries.length).toBeGreaterThan(50)
  })

  it('would see a query that finds nothing', async () => {
    expect(await seriesOf('rate(cache_hit_total[2s])')).toEqual([])
    expect((await seriesOf('cache_journal_length / cache_journal_length'))?.flat().some(Number.isFinite)).toBe(false)
  })

  it('evaluates every rule', async () => {
    const { data } = (await ask('/api/v1/rules')) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
    }
    const rules = data.groups.flatMap(group => group.rules)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    expect(rules.length).toBeGreaterThan(10)
  })

  async function ask(path: string): Promise<unknown> {
    const response = await fetch(address + path)
    return response.json()
  }

  /** The values of each series that the query had at some moment of the demo. */
  async function seriesOf(query: string): Promise<number[][]> {
    const [start, stop] = [playedFromMs, Date.now()].map(ms => ms / 1000) as [number, number]
    const range = `start=${start}&end=${stop}&step=${scrapeMs / 1000}`
    const { data } = (await ask(`/api/v1/query_range?query=${encodeURIComponent(query)}&${range}`)) as {
      data: { result: { values: [number, string][] }[] }
    }
    return data.result.map(({ values }) => values.map(([, value]) => Number(value)))
  }
})

/** In a process group of its own, with servers of its own. */
function startDemo(): ChildProcess {
  const { REDIS_URL: _redis, DATABASE_URL: _database, ...env } = process.env
  const args = ['run', '--silent', 'demo', '--', '--quick', '--json', '--metrics-port', '0']
  return spawn('npm', args, { cwd: root, env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** As it says them before it plays. */
function targetsOf(demo: ChildProcess): Promise<string[]> {
  let said = ''
  return new Promise((resolve, reject) => {
    demo.once('exit', () => reject(new Error(`the demo ended before it served metrics: ${said}`)))
    demo.stderr!.on('data', chunk => {
      said += String(chunk)
      const targets = [...said.matchAll(/http:\/\/(127\.0\.0\.1:\d+)\/metrics\s/g)].map(([, target]) => target ?? '')
      if (targets.length === workers) resolve(targets)
    })
  })
}

function startPrometheus(folder: string, port: number, targets: readonly string[]): ChildProcess {
  const config = {
    global: { scrape_interval: `${scrapeMs}ms`, evaluation_interval: '1s' },
    rule_files: ['rules.yml'],
    scrape_configs: [{ job_name: 'demo', static_configs: [{ targets }] }],
  }
  writeFileSync(join(folder, 'rules.yml'), renderRules())
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  return spawn(tools!.prometheus, args, { detached: true, stdio: 'ignore' })
}

/** With all that it started. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  process.kill(-child.pid!, 'SIGKILL')
  await exited
}
