import { alerts } from './alerts.ts'

/** Where the runbooks are once the package is installed. No site shows them. */
const packagedRunbooks = 'node_modules/leasehold/docs/runbooks'

/**
 * The rules as Prometheus loads them.
 *
 * @param runbooks The URL of a folder that shows `docs/runbooks`, so that `runbook_url` can be clicked.
 */
export function renderRules(runbooks: string = packagedRunbooks): string {
  const head = '# Written by `npm run generate` from ops/alerts.ts. Change that.\ngroups:\n  - name: leasehold\n    rules:\n'
  return head + alerts.map(alert => renderAlert(alert, runbooks.replace(/\/+$/, ''))).join('')
}

function renderAlert({ name, expr, for: holds, severity, summary, runbook }: (typeof alerts)[number], runbooks: string): string {
  return `      - alert: ${name}
        expr: ${quoted(expr)}
        for: ${holds}
        labels:
          severity: ${severity}
        annotations:
          summary: ${quoted(summary)}
          runbook_url: ${runbooks}/${runbook}.md
`
}

/** JSON's strings are YAML's too. */
function quoted(text: string): string {
  return JSON.stringify(text)
}
