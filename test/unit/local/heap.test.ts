import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const child = fileURLToPath(new URL('heap-child.ts', import.meta.url))
const keys = 100_000
const maxBytes = 16 * 1024 * 1024

it.each(['copy', 'freeze'])(
  '%s: of far more keys than fit take no more than half as much again as maxBytes says',
  { timeout: 120_000 },
  async values => {
    const args = ['--expose-gc', '--import', 'tsx', child, String(keys), String(maxBytes), values]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { grownBytes, entries, bytes } = JSON.parse(stdout) as Record<'grownBytes' | 'entries' | 'bytes', number>
    expect(entries).toBeGreaterThan(5_000)
    expect(entries).toBeLessThan(keys / 2)
    expect(bytes).toBeGreaterThan(maxBytes * 0.9)
    expect(grownBytes).toBeLessThan(maxBytes * 1.5)
  },
)
