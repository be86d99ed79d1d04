import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    packed: Packed
  }
}

export interface Packed {
  readonly tarball: string
  readonly files: readonly string[]
}

/** Run once for all test files, which share `dist`: builds the package and packs it, as publishing would. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'leasehold-pack-'))
  npm(['run', 'build'])
  const { stdout } = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder])
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  project.provide('packed', { tarball: join(folder, filename), files: files.map(file => file.path).toSorted() })
  return () => rmSync(folder, { recursive: true })
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
