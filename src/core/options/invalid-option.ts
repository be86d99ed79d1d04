import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'

/** The error for an option whose value is not allowed. `allowed` completes "must be …". */
export function invalidOption(option: string, value: unknown, allowed: string): LeaseholdError {
  return new LeaseholdError('INVALID_OPTION', `Option "${option}" must be ${allowed}; got ${describeValue(value)}`, { option })
}

/** The error for an option that does not exist here, with the nearest ones that do. `kind` names what is not known, an option or an event. */
export function unknownOption(name: string, known: Iterable<string>, kind: 'option' | 'event' = 'option'): LeaseholdError {
  const allowed = [...known]
  const near = nearestNames(name, allowed)
  const quoted = near.map(option => `"${option}"`)
  const advice = near.length > 0 ? `did you mean ${quoted.join(' or ')}?` : `allowed: ${allowed.join(', ')}`
  return new LeaseholdError('UNKNOWN_OPTION', `Unknown ${kind} ${describeValue(name)}; ${advice}`, { option: name })
}

const comparedLength = 64

function nearestNames(name: string, known: readonly string[]): string[] {
  const wanted = name.slice(0, comparedLength).toLowerCase()
  const limit = Math.max(2, Math.floor(wanted.length / 3))
  return known
    .map(option => ({ option, distance: distanceOf(wanted, option.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 2)
    .map(({ option }) => option)
}

/** 0 or 1 when one name begins with or contains the other (`stale`, `ttlMs`), else the edit distance. */
function distanceOf(wanted: string, option: string): number {
  if (wanted === option) return 0
  if (wanted.length >= 3 && (option.includes(wanted) || wanted.includes(option))) return 1
  let previous = Array.from({ length: option.length + 1 }, (_, column) => column)
  for (let row = 1; row <= wanted.length; row++) {
    const current = [row]
    for (let column = 1; column <= option.length; column++) {
      const change = wanted[row - 1] === option[column - 1] ? 0 : 1
      current.push(Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (previous[column - 1] ?? 0) + change))
    }
    previous = current
  }
  return previous[option.length] ?? option.length
}
