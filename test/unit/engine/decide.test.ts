import { describe, expect, it } from 'vitest'
import { decide, staleness, type Decision } from '../../../src/core/calls/decide.ts'
import type { RefreshPolicy } from '../../../src/core/options/options.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'

const off: RefreshPolicy = { strategy: 'off' }
const random = (share: number) => ({ ...seededRandom(1), next: () => share })
const fresh = { freshUntil: 1000, expired: false, loadMs: 100 }
const expired = { ...fresh, expired: true }

describe('what a reader may do with an entry that is fresh until 1000', () => {
  it.each<[string, number, typeof fresh, number, number, Decision]>([
    ['before its end', 999, fresh, 0, 0, 'fresh'],
    ['at its end', 1000, fresh, 0, 0, 'absent'],
    ['past it, within staleWhileRevalidate', 1049, fresh, 50, 0, 'revalidate'],
    ['past it and past staleWhileRevalidate', 1050, fresh, 50, 0, 'absent'],
    ['past it, within staleIfError', 1049, fresh, 0, 50, 'fallback'],
    ['past it and past staleIfError', 1050, fresh, 0, 50, 'absent'],
    ['within both', 1010, fresh, 50, 100, 'revalidate'],
    ['past staleWhileRevalidate, within staleIfError', 1070, fresh, 50, 100, 'fallback'],
    ['before its end, expired by hand', 10, expired, 0, 0, 'absent'],
    ['before its end, expired by hand, within staleWhileRevalidate', 10, expired, 1, 0, 'revalidate'],
    ['before its end, expired by hand, within staleIfError', 10, expired, 0, 1, 'fallback'],
    ['past its end and staleIfError, expired by hand', 1050, expired, 0, 50, 'absent'],
    ['at a time that is not known', Number.NaN, fresh, 50, 50, 'absent'],
  ])('%s', (_name, nowMs, entry, staleWhileRevalidateMs, staleIfErrorMs, decision) => {
    expect(decide(entry, nowMs, { refresh: off, staleWhileRevalidateMs, staleIfErrorMs }, random(0))).toBe(decision)
  })
})

describe('when a read of a fresh entry offers a refresh', () => {
  const policy = (refresh: RefreshPolicy) => ({ refresh, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 })
  const xfetch = (beta: number): RefreshPolicy => ({ strategy: 'xfetch', beta })
  const window = (probability: number): RefreshPolicy => ({ strategy: 'window', windowMs: 200, probability })
  const half = Math.log(2)

  it.each<[string, number, RefreshPolicy, number, Decision]>([
    ['never when switched off', 999, off, 0.999_999, 'fresh'],
    ['xfetch: not at the low end of the random share', 999, xfetch(1), 0, 'fresh'],
    ['xfetch: from Δ·β·ln 2 before the end at half', Math.ceil(1000 - 100 * half), xfetch(1), 0.5, 'refresh-early'],
    ['xfetch: not before that', Math.floor(1000 - 100 * half), xfetch(1), 0.5, 'fresh'],
    ['xfetch: earlier with a larger beta', Math.ceil(1000 - 300 * half), xfetch(3), 0.5, 'refresh-early'],
    ['xfetch: never with beta 0', 999, xfetch(0), 0.999_999, 'fresh'],
    ['window: not before it', 799, window(1), 0, 'fresh'],
    ['window: from its beginning', 800, window(1), 0.999_999, 'refresh-early'],
    ['window: with its probability', 900, window(0.3), 0.299, 'refresh-early'],
    ['window: without it', 900, window(0.3), 0.3, 'fresh'],
    ['window: never with probability 0', 999, window(0), 0, 'fresh'],
  ])('%s', (_name, nowMs, refresh, share, decision) => {
    expect(decide(fresh, nowMs, policy(refresh), random(share))).toBe(decision)
  })

  it('is never asked about a stale entry', () => {
    const next = () => {
      throw new Error('no randomness needed')
    }
    expect(decide(fresh, 1000, policy(xfetch(1)), { ...seededRandom(1), next })).toBe('absent')
  })
})

describe('staleness', () => {
  it('counts from the end of freshness, and is 0 for what was expired before it', () => {
    expect(staleness(fresh, 1300)).toBe(300)
    expect(staleness(expired, 10)).toBe(0)
  })
})
