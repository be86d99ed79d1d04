import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../src/core/options/duration.ts'
import type { Duration } from '../../src/core/options/options.ts'

const bounds = { min: 0, max: 365 * 86_400_000 }
const parse = (value: unknown, limits = bounds) => parseDuration(value as Duration, 'ttl', limits)

describe('parseDuration', () => {
  it.each([
    [0, 0],
    [1, 1],
    [250, 250],
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('reads %j as %d ms', (value, ms) => {
    expect(parse(value)).toBe(ms)
    expect(parse(value), 'the second time as the first').toBe(ms)
  })

  it('rounds to whole milliseconds, since stores take no others', () => {
    expect(parse(1000 / 3)).toBe(333)
    expect(parse('0.0015s')).toBe(2)
  })

  it('reads -0 as 0', () => {
    expect(parse(-0)).toBe(0)
  })

  const texts = ['', '5', '5 m', '5min', 'm', '1e3ms', '0x10ms', ' 5m', '5m\n', '-5m', 'Infinityms', '1,5s', '1_000ms']
  const others = [Number.NaN, Number.POSITIVE_INFINITY, -1, null, true, {}, [], 5n, Symbol('5m'), () => '5m']
  it.each([...texts, ...others])('refuses %o, naming option, value and what is allowed', value => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', option: 'ttl' }))
    expect(() => parse(value)).toThrow(/"ttl" must be a duration from 0 to 365d .*; got /)
  })

  it('holds both bounds, also for text it has read before', () => {
    expect(parse('1s', { min: 1000, max: 1000 })).toBe(1000)
    expect(() => parse('1s', { min: 1001, max: 2000 })).toThrow('from 1001ms to 2s')
    expect(() => parse('1s', { min: 0, max: 999 })).toThrow('got "1s"')
    expect(() => parse(0.4, { min: 1, max: 9 })).toThrow('got 0.4')
  })

  it('remembers texts in bounded memory', () => {
    for (let ms = 0; ms < 2000; ms++) expect(parse(`${ms}ms`)).toBe(ms)
  })

  it('cuts a long value short in the message', () => {
    const message = String(catchError(() => parse(`${'9'.repeat(1000)}s`)))
    expect(message.length).toBeLessThan(250)
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0'],
    [999, '999ms'],
    [1500, '1500ms'],
    [30_000, '30s'],
    [300_000, '5m'],
    [3_600_000, '1h'],
    [86_400_000, '1d'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

function catchError(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
