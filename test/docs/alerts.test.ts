import { describe, expect, it } from 'vitest'
import { alerts } from '../../ops/alerts.ts'
import { page, plain, tableRows } from './pages.ts'

describe('docs/alerts.md', () => {
  it('lists every alert, and no other, with how long it must hold, its severity and its runbook', () => {
    const rows = tableRows(page('docs/alerts.md').text).map(cells => cells.map(plain))
    expect(rows.map(([name, , holds, severity, runbook]) => [name, holds, severity, runbook])).toEqual(
      alerts.map(({ name, for: holds, severity, runbook }) => [name, holds, severity, runbook]),
    )
  })
})

describe('the runbooks', () => {
  it('name every alert that leads to them', () => {
    for (const { name, runbook } of alerts) expect(page(`docs/runbooks/${runbook}.md`).text).toContain(`\`${name}\``)
  })
})
