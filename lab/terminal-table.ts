import Table from 'cli-table3'
import type { Paint } from '../demo/paint.ts'
import { type Column, narrowColumns } from './columns.ts'
import { contenders } from './contenders/index.ts'
import type { ScenarioResult } from './results.ts'

export function table({ scenario, outcomes }: ScenarioResult, paint: Paint): string {
  const grid = new Table({
    head: [scenario.title, ...narrowColumns.map(column => column.title)].map(text => paint('bold', text)),
    colAligns: ['left', ...narrowColumns.map((): 'right' => 'right')],
    style: { head: [], border: [], compact: true },
  })
  for (const { contender, figures } of outcomes) {
    const { title, ours } = contenders[contender]
    const cells = narrowColumns.map(column => {
      const text = column.show(column.pick(figures))
      return isBest(column, outcomes, column.pick(figures)) ? paint('green', text) : text
    })
    grid.push([paint(ours ? ['green', 'bold'] : 'yellow', title), ...cells])
  }
  return grid.toString()
}

export function isBest(column: Column, outcomes: ScenarioResult['outcomes'], value: number): boolean {
  if (column.better === undefined) return false
  const all = outcomes.map(({ figures }) => column.pick(figures))
  return value === (column.better === 'lower' ? Math.min(...all) : Math.max(...all))
}
