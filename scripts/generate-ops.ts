/**
 * Writes the dashboard and the alert rules from their definitions in `ops`.
 * `--check` writes nothing and fails when a checked-in file is not what the definitions give.
 * `--runbooks https://wiki.example.com/leasehold` says where your runbooks are shown, for the `runbook_url` of the alerts.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { renderDashboard } from '../ops/render-dashboard.ts'
import { renderRules } from '../ops/render-rules.ts'

const { check, runbooks } = parseArgs({ options: { check: { type: 'boolean' }, runbooks: { type: 'string' } } }).values

const files: readonly (readonly [path: string, text: string])[] = [
  ['ops/grafana/leasehold.json', renderDashboard()],
  ['ops/prometheus/leasehold.rules.yml', renderRules(runbooks)],
]

for (const [path, text] of files) {
  const file = new URL(`../${path}`, import.meta.url)
  if (check !== true) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${path} is not what its definitions give; run "npm run generate" and commit it`)
    process.exitCode = 1
  }
}
