import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export interface Packed {
  readonly tarball: string
  readonly files: readonly string[]
}

/** Builds the package and packs it into `folder`, as publishing would. */
export function pack(folder: string): Packed {
  npm(['run', 'build'])
  const { stdout } = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder])
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  return { tarball: join(folder, filename), files: files.map(file => file.path).toSorted() }
}

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export function run(file: string, args: readonly string[], cwd: string = process.cwd()): Outcome {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined }
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, env, encoding: 'utf8', timeout: 100_000 })
  return { status, stdout, stderr }
}

/** @throws Error with what npm said, when it fails */
export function npm(args: readonly string[], cwd?: string): Outcome {
  const outcome = run('npm', args, cwd)
  if (outcome.status !== 0) throw new Error(`npm ${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`)
  return outcome
}

/** A program among our development dependencies. */
export function bin(name: string): string {
  return join(process.cwd(), 'node_modules', '.bin', name)
}
