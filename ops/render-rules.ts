import { alerts } from './alerts.ts'

/** The rules as Prometheus loads them. */
export function renderRules(): string {
  const head = '# Written by `npm run generate` from ops/alerts.ts. Change that.\ngroups:\n  - name: leasehold\n    rules:\n'
  return head + alerts.map(renderAlert).join('')
}

function renderAlert({ name, expr, for: holds, severity, summary, runbook }: (typeof alerts)[number]): string {
  return `      - alert: ${name}
        expr: ${quoted(expr)}
        for: ${holds}
        labels:
          severity: ${severity}
        annotations:
          summary: ${quoted(summary)}
          runbook: docs/runbooks/${runbook}.md
`
}

/** JSON's strings are YAML's too. */
function quoted(text: string): string {
  return JSON.stringify(text)
}
