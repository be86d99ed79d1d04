import { execFile } from 'node:child_process'
import { findPrometheus } from '../../scripts/find-prometheus.ts'

const found = await findPrometheus({ mayInstall: false })

/** Undefined where Prometheus is not installed: tests that need it are skipped, and say so. */
export const tools: { readonly promtool: string; readonly prometheus: string } | undefined =
  found.kind === 'found' ? found : undefined

export const missing: string = found.kind === 'none' ? ` (skipped: ${found.advice})` : ''

export interface Outcome {
  readonly code: number
  readonly output: string
}

/** Runs promtool, with `input` on its standard input. */
export function promtool(args: readonly string[], input: string = ''): Promise<Outcome> {
  return new Promise(resolve => {
    const child = execFile(tools?.promtool ?? 'promtool', args, { timeout: 50_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, output: stdout + stderr })
    })
    child.stdin?.end(input)
  })
}
