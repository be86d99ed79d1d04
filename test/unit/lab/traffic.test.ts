import { describe, expect, it } from 'vitest'
import { arrivalsOf, productsInAll, shareOf, type Traffic } from '../../../lab/traffic.ts'

const plain: Traffic = { perSecond: 1000, durationMs: 10_000, products: 50, skew: 1.1, churn: 0, writes: 0 }

describe('the requests of a run', () => {
  it('are fixed in advance: the same seed gives the same ones, another others', () => {
    const traffic = { ...plain, writes: 0.1, churn: 0.1 }
    expect(arrivalsOf(traffic, 7)).toEqual(arrivalsOf(traffic, 7))
    expect(arrivalsOf(traffic, 8)).not.toEqual(arrivalsOf(traffic, 7))
  })

  it('come in the order of time, at about the rate asked for', () => {
    const { atMs } = arrivalsOf(plain, 7)
    expect([...atMs]).toEqual([...atMs].toSorted((a, b) => a - b))
    expect(atMs.length).toBeGreaterThan(9500)
    expect(atMs.length).toBeLessThan(10_500)
  })

  it('ask for the n-th most popular product 1/n^skew as often as for the first', () => {
    const { product } = arrivalsOf(plain, 7)
    const asked = (id: number): number => product.filter(each => each === id).length
    expect(asked(1) / asked(4)).toBeGreaterThan(0.8 * 4 ** 1.1)
    expect(asked(1) / asked(4)).toBeLessThan(1.25 * 4 ** 1.1)
  })

  it('change a product as often as asked for, and at the moments asked for', () => {
    const share = (writes: Uint8Array): number => writes.filter(Boolean).length / writes.length
    expect(share(arrivalsOf(plain, 7).write)).toBe(0)
    expect(share(arrivalsOf({ ...plain, writes: 0.05 }, 7).write)).toBeCloseTo(0.05, 2)
    const { atMs, product, write } = arrivalsOf({ ...plain, edits: [{ atMs: 1234.5, product: 3 }] }, 7)
    const edit = atMs.indexOf(1234.5)
    expect([product[edit], write[edit]]).toEqual([3, 1])
  })

  it('are twice as many in a burst', () => {
    const { atMs } = arrivalsOf({ ...plain, burst: { fromMs: 4000, untilMs: 6000, factor: 2 } }, 7)
    const within = (from: number, until: number): number => atMs.filter(at => at >= from && at < until).length
    expect(within(4000, 6000) / within(1000, 3000)).toBeCloseTo(2, 0)
  })

  it('turn to other products by churn, all of which exist', () => {
    const different = (churn: number): Set<number> => new Set(arrivalsOf({ ...plain, churn }, 7).product)
    expect(Math.max(...different(0))).toBe(50)
    const others = [...different(0.1)].filter(product => product > 50)
    expect(others.length).toBeGreaterThan(20)
    expect(Math.max(...others)).toBeLessThanOrEqual(productsInAll(50))
  })

  it('come to products one after the other while these enter', () => {
    const { atMs, product } = arrivalsOf({ ...plain, entering: true }, 7)
    const seenBy = (ms: number): number => new Set(product.filter((_, index) => (atMs[index] ?? 0) < ms)).size
    expect(seenBy(2500)).toBeLessThan(20)
    expect(seenBy(10_000)).toBeGreaterThan(45)
  })

  it('are shared out without loss', () => {
    const all = arrivalsOf(plain, 7)
    const shares = [0, 1, 2].flatMap(index => [...shareOf(all, index, 3).atMs])
    expect(shares.toSorted((a, b) => a - b)).toEqual([...all.atMs])
  })
})
