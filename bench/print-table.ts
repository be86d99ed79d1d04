import Table from 'cli-table3'

/** Numbers to the right, words to the left. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const colAligns = head.map((_, column): 'left' | 'right' =>
    rows.every(row => !Number.isNaN(Number(row[column]))) ? 'right' : 'left',
  )
  const table = new Table({ head: [...head], colAligns, style: { head: [], border: [], compact: true } })
  for (const row of rows) table.push([...row])
  console.log(table.toString())
}
