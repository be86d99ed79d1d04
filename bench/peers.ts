import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const usage = `npm run bench:peers -- [--quick] [--only hits|stampedes|races|outages]

Leasehold beside other libraries, each as its documentation sets it up. They have a manifest of their own, installed by
npm ci --prefix bench/peers, and run on the Node that it names, since some need more than Node 20.`

const folder = fileURLToPath(new URL('peers/', import.meta.url))
const node = `${folder}node_modules/.bin/node`
/** Every part is bounded; this is for what nobody thought of. */
const longestMs = 30 * 60_000

if (process.argv.includes('--help')) {
  console.log(usage)
} else if (existsSync(node)) {
  const child = spawn(node, ['--import', import.meta.resolve('tsx'), `${folder}main.ts`, ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  const late = setTimeout(() => child.kill('SIGKILL'), longestMs)
  // On Ctrl-C the child is told by the terminal, and ends what it started.
  process.on('SIGINT', () => {})
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(late)
  process.exitCode = code ?? 1
} else {
  console.error('The other libraries are not installed: npm ci --prefix bench/peers')
  process.exitCode = 1
}
