import { execFile } from 'node:child_process'
import { access, constants, readFile, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

export type Env = Readonly<Record<string, string | undefined>>

/** Where a program of this name can be run, in the order of PATH. */
export async function onPath(name: string, env: Env): Promise<string[]> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(folder => folder !== '')
  const checks = folders.map(async folder => {
    const path = join(folder, name)
    return (await access(path, constants.X_OK).then(
      () => true,
      () => false,
    ))
      ? path
      : undefined
  })
  return (await Promise.all(checks)).filter(path => path !== undefined)
}

export async function isDebian(osReleaseFile: string = '/etc/os-release'): Promise<boolean> {
  const release = await readFile(osReleaseFile, 'utf8').catch(() => '')
  return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(release)
}

/**
 * Installs a Debian package of a server. It would start that server, now and at each boot: neither is wanted. Returns what went wrong, if
 * anything.
 */
export async function installPackage(
  name: string,
  env: Env,
  policyFile: string = '/usr/sbin/policy-rc.d',
): Promise<string | undefined> {
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' }
  const forbade = await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  )
  try {
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', name]]) {
      const { code, output } = await run('apt-get', args, quiet)
      if (code !== 0) return output.trim().split('\n').at(-1)?.slice(0, 200) ?? `apt-get ${args[0]} failed`
    }
    await run('systemctl', ['disable', '--now', name], quiet)
    return undefined
  } finally {
    if (forbade) await rm(policyFile, { force: true })
  }
}

/** Runs a program to its end. Never rejects. */
export function run(file: string, args: readonly string[], env: Env = process.env): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    execFile(file, args, { env, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, output: stdout + stderr })
    })
  })
}
