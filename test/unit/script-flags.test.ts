import { describe, expect, it } from 'vitest'
import { above0, off, parseFlags, text, texts, whole } from '../../scripts/flags.ts'

const flags = { seeds: whole(1, 10), replay: whole(0, undefined), minutes: above0(1), name: text(''), row: texts, write: off }

describe('the flags of a script', () => {
  it('are all optional', () => {
    expect(parseFlags(flags, [])).toEqual({
      seeds: 10,
      replay: undefined,
      minutes: 1,
      name: '',
      row: undefined,
      write: false,
    })
  })

  it('are read as what they are', () => {
    const args = ['--seeds', '25', '--replay=0', '--minutes', '0.5', '--name', 'a b', '--row', 'one', '--row', 'two', '--write']
    expect(parseFlags(flags, args)).toEqual({
      seeds: 25,
      replay: 0,
      minutes: 0.5,
      name: 'a b',
      row: ['one', 'two'],
      write: true,
    })
  })

  it.each([
    [['--seeds', 'abc'], '--seeds takes a whole number from 1, not abc'],
    [['--seeds', '-5'], '--seeds takes a whole number from 1, not -5'],
    [['--seeds', '0'], '--seeds takes a whole number from 1, not 0'],
    [['--seeds', '1.5'], '--seeds takes a whole number from 1, not 1.5'],
    [['--seeds', '1e99'], '--seeds takes a whole number from 1, not 1e99'],
    [['--seeds='], '--seeds takes a whole number from 1, not nothing'],
    [['--seeds'], '--seeds takes a value'],
    [['--replay', 'abc'], '--replay takes a whole number from 0, not abc'],
    [['--minutes', '0'], '--minutes takes a number above 0, not 0'],
    [['--minutes', 'Infinity'], '--minutes takes a number above 0, not Infinity'],
    [['--sedes', '5'], 'there is no --sedes; --help lists the flags'],
    [['--write=yes'], '--write takes no value, not yes'],
    [['5'], '5 is no flag; --help lists them'],
  ])('are refused in one line that says what is allowed: %j', (args, says) => {
    expect(() => parseFlags(flags, args)).toThrow(new Error(says))
  })
})
