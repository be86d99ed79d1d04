import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const main = ['--import', 'tsx', 'src/cli/main.ts', 'conf', '--role', 'cache', '--memory', '8gb', '--cores', '4']

describe('output that cannot be written', () => {
  it.runIf(existsSync('/dev/full'))('is a failure, with its reason', { timeout: 30_000 }, () => {
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, main, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
    closeSync(full)
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'leasehold: the output could not be written (ENOSPC)\n' })
  })

  it('is none where the reader has read enough', { timeout: 30_000 }, () => {
    const command = ['"$0"', ...main.map(word => `'${word}'`)].join(' ')
    const { stdout, stderr } = spawnSync('sh', ['-c', `{ ${command}; echo "exit $?" >&2; } | true`, process.execPath], {
      encoding: 'utf8',
    })
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: 'exit 0\n' })
  })
})
