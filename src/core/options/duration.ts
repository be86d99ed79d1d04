import { invalidOption } from './invalid-option.ts'
import type { Duration } from './options.ts'

/** Inclusive, in ms. */
export interface DurationBounds {
  readonly min: number
  readonly max: number
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const pattern = /^(-?\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const memo = new Map<string, number>()
const memoLimit = 512
const memoTextLength = 16

/**
 * A duration in whole milliseconds, rounded. `option` names it in errors.
 *
 * @throws LeaseholdError `INVALID_OPTION` for anything that is not a duration or lies outside the bounds.
 */
export function parseDuration(value: Duration, option: string, bounds: DurationBounds): number {
  const ms = typeof value === 'number' ? Math.round(value) : parseText(value)
  const tooFine = typeof value === 'number' && value > 0 && value < 1
  if (!tooFine && ms >= bounds.min && ms <= bounds.max) return ms === 0 ? 0 : ms
  throw invalidOption(option, value, describeBounds(bounds))
}

/** NaN when the text is no duration, so that it fails every bound. */
function parseText(text: string): number {
  const known = memo.get(text)
  if (known !== undefined) return known
  const match = typeof text === 'string' ? pattern.exec(text) : null
  if (match === null) return Number.NaN
  const ms = Math.round(Number(match[1]) * (unitsMs[match[2] ?? ''] ?? Number.NaN))
  if (text.length > memoTextLength) return ms
  if (memo.size >= memoLimit) memo.clear()
  memo.set(text, ms)
  return ms
}

/** Bounds in words: `a duration from 100ms to 1m`. */
export function describeBounds(bounds: DurationBounds): string {
  return `a duration from ${formatDuration(bounds.min)} to ${formatDuration(bounds.max)} (ms, or text such as "30s")`
}

/** The shortest text that means exactly `ms`: `1500ms`, `30s`, `5m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0'
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitsMs[unit] ?? 1
    if (ms % size === 0) return `${ms / size}${unit}`
  }
  return `${ms}ms`
}
