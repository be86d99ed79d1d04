import { describe, expect, it } from 'vitest'
import { contenderIds } from '../../../lab/contenders/index.ts'
import { parseFlags } from '../../../lab/flags.ts'
import { scenarioIds } from '../../../lab/scenarios.ts'
import { defaultSettings, quickSettings } from '../../../lab/settings.ts'

describe('the flags of the lab', () => {
  it('are all optional', () => {
    const { settings, scenarios, contenders, html } = parseFlags([])
    expect(settings).toEqual(defaultSettings)
    expect([scenarios, contenders, html]).toEqual([scenarioIds, contenderIds, 'lab-report.html'])
  })

  it('set one parameter each, of the quick settings too', () => {
    expect(parseFlags(['--rate', '12000', '--ttl', '500']).settings).toEqual({
      ...defaultSettings,
      perSecond: 12_000,
      ttlMs: 500,
    })
    expect(parseFlags(['--quick', '--skew', '0.9']).settings).toEqual({ ...quickSettings, skew: 0.9 })
  })

  it('pick scenarios and contenders, in the order of the lab', () => {
    const { scenarios, contenders } = parseFlags(['--scenario', 'delete,cold', '--contender', 'leasehold', '--contender', 'none'])
    expect([scenarios, contenders]).toEqual([
      ['cold', 'delete'],
      ['none', 'leasehold'],
    ])
  })

  it.each([
    [['--rate', 'many'], '--rate takes a number from 1 to 50000, not many'],
    [['--rate', ''], '--rate takes a number'],
    [['--workers', '1'], '--workers takes a whole number from 2'],
    [['--workers', '2.5'], '--workers takes a whole number'],
    [['--scenario', 'cold,warm'], '--scenario takes steady, writes, cold'],
    [['--rate', '50000', '--duration', '600000'], 'too much to hold'],
  ])('are refused with what is allowed: %j', (args, says) => {
    expect(() => parseFlags(args)).toThrow(says)
  })
})
