/** Writes `ops/redis`. `--check` writes nothing and fails when the checked-in files are not what `leasehold conf` gives. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { shippedFiles } from '../src/cli/conf/shipped.ts'

const folder = new URL('../ops/redis/', import.meta.url)
const check = process.argv.includes('--check')

mkdirSync(folder, { recursive: true })
for (const [name, text] of shippedFiles()) {
  const file = new URL(name, folder)
  if (!check) writeFileSync(file, text)
  else if (current(file) !== text) {
    console.error(`${fileURLToPath(file)} is not what "leasehold conf" gives. Run: npm run generate`)
    process.exitCode = 1
  }
}

function current(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
