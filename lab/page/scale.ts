/** Maps a value to a coordinate, and says where to draw lines. */
export interface Scale {
  readonly at: (value: number) => number
  readonly marks: readonly number[]
}

/** From one power of ten to another, so that a millisecond and a second can be read in one picture. */
export function logScale(values: readonly number[], from: number, to: number, least: number): Scale {
  const positive = values.filter(value => value > 0)
  if (positive.length === 0) positive.push(least)
  const low = Math.floor(
    Math.log10(Math.max(least, Math.min(...positive, Infinity) === Infinity ? least : Math.min(...positive))),
  )
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(least, ...positive))))
  const at = (value: number): number => {
    const share = (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)
    return from + Math.min(1, share) * (to - from)
  }
  return { at, marks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) }
}

/** Some four round numbers from 0 up to `highest`. */
export function steps(highest: number): number[] {
  const power = 10 ** Math.floor(Math.log10(highest / 4))
  const factor = [1, 2, 5, 10].find(candidate => candidate * power * 4 >= highest) ?? 10
  const step = factor * power
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, index) => Math.round(index * step * 1000) / 1000)
}
