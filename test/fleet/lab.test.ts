import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LabResult } from '../../lab/results.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leasehold-lab-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a quick run of the lab compares contenders and writes its report', { timeout: 120_000 }, async () => {
  const report = join(folder, 'report.html')
  const { DATABASE_URL: _database, ...env } = process.env
  const flags = ['--quick', '--duration', '1200', '--scenario', 'cold,delete', '--contender', 'cache-aside,leasehold']
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'lab', '--', ...flags, '--json', '--html', report], {
    cwd: root,
    env,
  })
  const { results } = JSON.parse(stdout) as LabResult
  const figuresOf = (scenario: string, contender: string) =>
    results.find(each => each.scenario.id === scenario)!.outcomes.find(each => each.contender === contender)!.figures

  const cold = figuresOf('cold', 'leasehold')
  expect(cold.databaseQueries).toBe(cold.productsAsked)
  expect(cold.peakLoadsOfOneProduct).toBe(1)
  expect(figuresOf('cold', 'cache-aside').databaseQueries).toBeGreaterThan(cold.databaseQueries)

  expect(figuresOf('delete', 'leasehold').stale).toBe(0)
  expect(figuresOf('delete', 'cache-aside').stale).toBeGreaterThan(0)
  for (const { outcomes } of results) {
    const [plain, ours] = outcomes.map(({ figures }) => figures)
    expect(ours!.reads + ours!.writes).toBe(plain!.reads + plain!.writes)
    expect([plain!.failedReads, ours!.failedReads]).toEqual([0, 0])
  }
  expect(await readFile(report, 'utf8')).toContain('<h2 id="delete">')
})
