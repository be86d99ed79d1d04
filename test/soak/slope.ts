export interface Sample {
  readonly at: number
  readonly value: number
}

export interface Slope {
  /** The straight line's rise for each unit of `at`. */
  readonly perUnit: number
  /** Its standard error. */
  readonly error: number
  readonly samples: number
}

/** Least squares. NaN for fewer than three samples. */
export function slopeOf(samples: readonly Sample[]): Slope {
  const count = samples.length
  const meanAt = samples.reduce((sum, { at }) => sum + at, 0) / count
  const meanValue = samples.reduce((sum, { value }) => sum + value, 0) / count
  const spread = samples.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0)
  const perUnit = samples.reduce((sum, { at, value }) => sum + (at - meanAt) * (value - meanValue), 0) / spread
  const left = samples.reduce((sum, { at, value }) => sum + (value - meanValue - perUnit * (at - meanAt)) ** 2, 0)
  const error = count < 3 ? NaN : Math.sqrt(left / (count - 2) / spread)
  return { perUnit: count < 3 ? NaN : perUnit, error, samples: count }
}

/** Without the beginning, in which a process still grows into its work. */
export function settled(samples: readonly Sample[]): readonly Sample[] {
  return samples.slice(Math.floor(samples.length / 3))
}
