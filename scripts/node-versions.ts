import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './programs.ts'

export const nodeVersions = ['20', '22', '24'] as const
export type NodeVersion = (typeof nodeVersions)[number]

/** The release line that runs this. */
export const ownNodeVersion: string = process.versions.node.split('.')[0] ?? ''

/** A program of that release line: the running one, or that of npm's `node` package, installed into `folder`. @throws Error with what npm says */
export async function findNode(version: NodeVersion, folder: string): Promise<string> {
  if (version === ownNodeVersion) return process.execPath
  const place = join(folder, `node-${version}`)
  const path = join(place, 'node_modules', 'node', 'bin', 'node')
  if ((await run(path, ['--version'])).output.startsWith(`v${version}.`)) return path
  await mkdir(place, { recursive: true })
  // The package's install script brings the program.
  await writeFile(join(place, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }))
  const { code, output } = await run('npm', ['install', `node@${version}`, '--prefix', place, '--no-audit', '--no-fund'])
  if (code === 0 && (await run(path, ['--version'])).output.startsWith(`v${version}.`)) return path
  throw new Error(`Node ${version} could not be installed: ${output.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`)
}
