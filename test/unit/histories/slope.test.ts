import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/testing/index.ts'
import { settled, slopeOf } from '../../soak/slope.ts'

describe('the slope of samples', () => {
  it('is that of the line they lie on', () => {
    const { perUnit, error } = slopeOf([0, 1, 2, 3].map(at => ({ at, value: 5 + 2 * at })))
    expect(perUnit).toBeCloseTo(2)
    expect(error).toBeCloseTo(0)
  })

  it('comes with the error that noise gives it', () => {
    const random = seededRandom(1)
    const noisy = Array.from({ length: 200 }, (_, at) => ({ at, value: at * 0.5 + (random.next() - 0.5) * 20 }))
    const { perUnit, error } = slopeOf(noisy)
    expect(Math.abs(perUnit - 0.5)).toBeLessThan(3 * error)
    // Uniform noise of width 20 has a deviation of 5.77; the times deviate by 57.7 from their mean.
    expect(error).toBeCloseTo(5.77 / 57.7 / Math.sqrt(200), 2)
  })

  it('is not known for less than three samples', () => {
    expect(slopeOf([{ at: 0, value: 1 }]).perUnit).toBeNaN()
  })

  it('is taken without the first third', () => {
    expect(settled(Array.from({ length: 9 }, (_, at) => ({ at, value: 0 }))).map(({ at }) => at)).toEqual([3, 4, 5, 6, 7, 8])
  })
})
