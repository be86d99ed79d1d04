import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedRedisUrl } from '../shared-redis.ts'
import { examplesOf, openWorkshop, promisedOutput, strayBlocks, type Example, type Workshop } from './examples.ts'
import { allPages, root } from './pages.ts'

const examples = allPages().flatMap(examplesOf)
const runnable = examples.filter(example => example.runnable)

describe('the examples of the pages', () => {
  let workshop: Workshop
  beforeAll(() => {
    workshop = openWorkshop(examples)
  })
  afterAll(() => workshop.remove())

  it('are all marked in a way that gets them checked', () => {
    expect(allPages().flatMap(strayBlocks)).toEqual([])
    expect(runnable.length).toBeGreaterThan(5)
  })

  it('compile', async () => {
    expect(await run('tsc', ['-p', workshop.folder])).toEqual({ code: 0, output: '' })
  })

  it.each(runnable)('$name runs, prints what it says and ends', async example => {
    makeRunnable(workshop, example)
    const { code, output } = await run('tsx', ['--tsconfig', join(workshop.folder, 'tsconfig.json'), fileOf(workshop, example)])
    expect(output.split('\n').filter(line => line !== '')).toEqual(promisedOutput(example))
    expect(code).toBe(0)
  })

  it('are told apart: a wrong one does not compile', async () => {
    const wrong = openWorkshop([{ name: 'wrong', code: "import { nothing } from 'leasehold'\n", runnable: false }])
    try {
      expect(await run('tsc', ['-p', wrong.folder])).toMatchObject({ output: expect.stringContaining('TS2305') as string })
    } finally {
      wrong.remove()
    }
  })
})

function fileOf({ folder }: Workshop, { name }: Example): string {
  return join(folder, `${name}.ts`)
}

/** The server is shared and may hold a namespace of the example's name, and the machine may be slow. */
function makeRunnable(workshop: Workshop, example: Example): void {
  const file = fileOf(workshop, example)
  const own = `test-docs-${randomBytes(6).toString('hex')}`
  const code = readFileSync(file, 'utf8')
  const patience = code.includes('redisStore(process.env') ? `, commandTimeout: '5s'` : ''
  writeFileSync(file, code.replaceAll(/namespace: '([\w.-]+)'/g, `namespace: '${own}-$1'${patience}`))
}

function run(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  // A page that shows an outage does not print the warning that comes with it.
  const quiet = {
    NODE_OPTIONS: '--disable-warning=LeaseholdWarning',
    NODE_ENV: 'production',
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
  }
  const env = { ...process.env, ...quiet, REDIS_URL: sharedRedisUrl() }
  return new Promise(resolve => {
    execFile(join(root, 'node_modules/.bin', program), args, { env, timeout: 50_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, output: stdout + stderr })
    })
  })
}
