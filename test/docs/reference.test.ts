import { describe, expect, it } from 'vitest'
import { optionTable } from '../../src/core/options/option-table.ts'
import { page, plain, sections, tableRows } from './pages.ts'
import { errorCodes, eventFields } from './source-facts.ts'

const keyRecord = ['key', 'version', 'at']

describe('docs/options.md', () => {
  const rows = tableRows(sections(page('docs/options.md')).get('All of them') ?? '').map(cells => cells.map(plain))

  it('lists every option there is, and no other, with its default, what is allowed and where', () => {
    const wanted = optionTable.map(row => [
      row.name,
      row.default,
      row.allowed.replace(' (ms, or text such as "30s")', ''),
      row.places.join(', '),
    ])
    expect(rows).toEqual(wanted)
    expect(rows.length).toBeGreaterThan(20)
  })

  it('says of each what it is for', () => {
    const text = page('docs/options.md').text
    for (const { name } of optionTable) {
      const explained = name.startsWith('refresh.') || new RegExp(`\\*\\*[^*]*\`${name.replace('.', '\\.')}\``).test(text)
      expect(explained || (name === 'timeout' && text.includes('**`timeout.hard`**')), name).toBe(true)
    }
  })
})

describe('docs/errors.md', () => {
  it('has a section for every code, and for no other', () => {
    expect([...sections(page('docs/errors.md')).keys()].toSorted()).toEqual(errorCodes().toSorted())
    expect(errorCodes()).toContain('LOAD_TIMEOUT')
  })
})

describe('docs/events.md', () => {
  const shown = sections(page('docs/events.md'))
  const events = eventFields()

  it('has a section for every event, and for no other', () => {
    expect([...shown.keys()].filter(heading => heading !== 'Common fields').toSorted()).toEqual([...events.keys()].toSorted())
    expect(fieldsShown('Common fields')).toEqual(keyRecord)
  })

  it.each([...events])('lists every field of %s, and what it may be', (event, fields) => {
    const own = isKeyRecord(fields.map(({ name }) => name)) ? fields.filter(({ name }) => !keyRecord.includes(name)) : fields
    expect(fieldsShown(event).toSorted()).toEqual(own.map(({ name }) => name).toSorted())
    for (const { name, choices } of own) {
      const meaning =
        tableRows(shown.get(event) ?? '')
          .find(([field]) => plain(field) === name)
          ?.at(2) ?? ''
      for (const choice of choices) expect(meaning, `${event}.${name}`).toContain(`\`${choice}\``)
    }
  })

  it('names every choice of the fields that have any', () => {
    const choices = [...events.values()].flat().flatMap(field => field.choices)
    expect(choices.length).toBeGreaterThan(50)
  })

  function fieldsShown(heading: string): string[] {
    return tableRows(shown.get(heading) ?? '').map(([field]) => plain(field))
  }
})

function isKeyRecord(names: readonly string[]): boolean {
  return keyRecord.every(name => names.includes(name))
}
