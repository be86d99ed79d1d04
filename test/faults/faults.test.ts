import { describe, expect, it } from 'vitest'
import { problemsOf } from './measured.ts'
import { rows } from './rows.ts'

// Each row has its own Redis and processes, and waits most of the time. All of them together starve a small machine now and then, and what a starved
// process may do, such as load twice, is not what a row is about: so a row may try again.
describe.concurrent('what is promised holds, and reads do not fail, through', { retry: 2 }, () => {
  it.each(rows.map(row => [row.title, row] as const))('%s', async (_, row) => {
    const measured = await row.run('short')
    expect(problemsOf(measured)).toEqual([])
    expect(measured.counts.reads).toBeGreaterThan(0)
  })

  it('are rows of different names', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
  })
})
