import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutant.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const notCopied = new Set(['.git', '.stryker', 'coverage', 'dist', 'node_modules'])
/** Whoever still writes there has been told to stop. */
const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const
const generatedScripts = 'src/redis/scripts.gen.ts'
/** Longer than any of the tests takes: a mutant that makes them hang is a mutant to be chosen better. */
const patienceMs = 120_000

export type Verdict =
  | { readonly kind: 'killed'; readonly test: string; readonly message: string }
  | { readonly kind: 'survived' }
  /** The tests could not run at all, which shows nothing. */
  | { readonly kind: 'broken'; readonly message: string }

interface TestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly title: string
      readonly ancestorTitles: readonly string[]
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** A copy of the repository in which one mutant at a time is planted. */
export class Workshop {
  readonly #folder: string
  readonly #redisUrl: string
  #child: ChildProcess | undefined

  private constructor(folder: string, redisUrl: string) {
    this.#folder = folder
    this.#redisUrl = redisUrl
    process.once('exit', this.#leave)
  }

  static async open(redisUrl: string): Promise<Workshop> {
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-mutants-'))
    const workshop = new Workshop(folder, redisUrl)
    await cp(root, folder, { recursive: true, filter: source => source === root || !notCopied.has(basename(source)) })
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    return workshop
  }

  /** Plants the mutant, runs its tests and takes it out again. */
  async try(mutant: Mutant): Promise<Verdict> {
    const path = join(this.#folder, mutant.file)
    const generated = join(this.#folder, generatedScripts)
    const [original, scripts] = await Promise.all([readFile(path, 'utf8'), readFile(generated, 'utf8')])
    try {
      await writeFile(path, planted(mutant, original))
      if (mutant.file.endsWith('.lua')) await this.#run('tsx', ['scripts/generate-scripts.ts'])
      return await this.test(mutant.tests)
    } finally {
      await writeFile(path, original)
      await writeFile(generated, scripts)
    }
  }

  /** Runs test files up to the first failure. */
  async test(files: readonly string[]): Promise<Verdict> {
    const report = join(this.#folder, 'report.json')
    await rm(report, { force: true })
    const projects = new Set(files.map(file => `--project=${file.split('/')[1]}`))
    const reporters = ['--reporter=json', `--outputFile=${report}`]
    const { code, output } = await this.#run('vitest', ['run', ...projects, '--bail=1', ...reporters, ...files])
    if (code === 0) return { kind: 'survived' }
    const said = output.trim().slice(-500)
    const { testResults } = await readFile(report, 'utf8').then(
      text => JSON.parse(text) as TestReport,
      () => ({ testResults: [] }),
    )
    const failed = testResults.flatMap(file => file.assertionResults).find(({ status }) => status === 'failed')
    if (failed === undefined) return { kind: 'broken', message: testResults.find(file => file.message)?.message ?? said }
    const message = failed.failureMessages[0]?.split('\n')[0] ?? ''
    return { kind: 'killed', test: [...failed.ancestorTitles, failed.title].join(' › '), message }
  }

  /** For a process that ends before it closes this. */
  readonly #leave = (): void => {
    this.#child?.kill('SIGKILL')
    rmSync(this.#folder, removal)
  }

  async close(): Promise<void> {
    process.off('exit', this.#leave)
    this.#child?.kill('SIGTERM')
    await rm(this.#folder, removal)
  }

  async #run(program: string, args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
    const env = { ...process.env, REDIS_URL: this.#redisUrl, NO_COLOR: '1', FORCE_COLOR: undefined }
    const child = spawn(join('node_modules', '.bin', program), args, {
      cwd: this.#folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patienceMs,
    })
    this.#child = child
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? 1, output }
  }
}

/** The text with the mutant in it. @throws when the place is not there, or there twice */
export function planted({ name, file, find, replace }: Mutant, text: string): string {
  const places = text.split(find).length - 1
  if (places !== 1) throw new Error(`${name}: its place is there ${places} times in ${file}, not once`)
  return text.replace(find, () => replace)
}
