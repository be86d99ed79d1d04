import { describe, expect, it } from 'vitest'
import { formatBytes, formatMs, formatShare, parseBytes, plural } from '../../../src/cli/quantities.ts'
import { Secrets } from '../../../src/cli/secrets.ts'
import { cut, cutLine, printable, table, wrap } from '../../../src/cli/table.ts'

describe('quantities', () => {
  it.each([
    [512, '512 B'],
    [1536, '1.5 KiB'],
    [850 * 1024 ** 2, '850 MiB'],
    [8 * 1024 ** 3, '8 GiB'],
  ])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  it.each([
    ['8gb', 8 * 1024 ** 3],
    ['512mb', 512 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['2GiB', 2 * 1024 ** 3],
    ['1048576', 1024 ** 2],
    ['8 gb', 8 * 1024 ** 3],
    ['eight', undefined],
    ['-1gb', undefined],
    ['8pb', undefined],
  ])('%s is %s bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes))

  it.each([
    [0, '0 ms'],
    [0.004, '4 µs'],
    [0.25, '0.25 ms'],
    [9.94, '9.9 ms'],
    [250, '250 ms'],
    [1500, '1.5 s'],
    [300_000, '5 min'],
    [3 * 3_600_000, '3 h'],
  ])('%f ms are %s', (ms, text) => expect(formatMs(ms)).toBe(text))

  it.each([
    [0, '0 %'],
    [0.0004, '0.1 %'],
    [0.5, '50 %'],
    [0.9999, '99.9 %'],
    [1, '100 %'],
  ])('a share of %f is %s', (share, text) => expect(formatShare(share)).toBe(text))

  it('has one key and two keys', () => expect([plural(1, 'key'), plural(2000, 'key')]).toEqual(['1 key', '2,000 keys']))
})

describe('tables', () => {
  it('align what is coloured by what is seen', () => {
    const rows = table(
      [{ title: 'A' }, { title: 'B', align: 'right' }],
      [
        ['\u001B[31mlong\u001B[39m', '1'],
        ['s', '22'],
      ],
    )
    expect(rows).toEqual(['A      B', '\u001B[31mlong\u001B[39m   1', 's     22'])
  })

  it('cut at the width that there is', () => {
    expect([cut('abcdef', 4), cut('abc', 4)]).toEqual(['abc…', 'abc'])
    expect(cutLine('\u001B[31mabcdef\u001B[39m', 4)).toBe('\u001B[31mabc…\u001B[0m')
    expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
  })

  it('show nothing that would move the cursor', () => expect(printable('a\u001B[2Jb\u202Ec\nd')).toBe('a?[2Jb?c?d'))
})

describe('secrets', () => {
  it('are hidden as they were spelled, and decoded', () => {
    const secrets = new Secrets()
    secrets.keepUrl('redis://user:p%40ssword@host:1')
    expect(secrets.conceal('p%40ssword p@ssword rediss://a:b@host redis://host')).toBe('*** *** rediss://***@host redis://host')
  })
})
