import { parseDuration } from './duration.ts'
import { invalidOption, unknownOption } from './invalid-option.ts'
import {
  allowedFor,
  durationBounds,
  integerBounds,
  numberBounds,
  type DurationOption,
  type IntegerOption,
  type NumberOption,
} from './option-table.ts'
import type { Duration } from './options.ts'

export function checkDuration(option: DurationOption, value: unknown): number {
  return parseDuration(value as Duration, option, durationBounds[option])
}

export function checkNumber(option: NumberOption, value: unknown): number {
  const { min, max } = numberBounds[option]
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw invalidOption(option, value, allowedFor(option))
}

export function checkInteger(option: IntegerOption, value: unknown): number {
  const { min, max } = integerBounds[option]
  // Adding 0 turns -0 into 0.
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return (value as number) + 0
  throw invalidOption(option, value, allowedFor(option))
}

export function checkBoolean(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(option, value, allowedFor(option))
}

export function checkOneOf<Choice>(option: string, value: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find(candidate => candidate === value)
  if (choice !== undefined) return choice
  throw invalidOption(option, value, allowedFor(option))
}

/** True for an object that has every method named. */
export function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every(name => typeof (value as Record<string, unknown>)[name] === 'function')
}

/** An options object as a record; arrays and everything else that is no object are refused. */
export function checkObject(option: string, value: unknown, allowed: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>
  throw invalidOption(option, value, allowed)
}

/** Refuses names that are not known. Only enumerable names count, so that options may be class instances. */
export function checkNames(options: object, known: ReadonlySet<string>, prefix = ''): void {
  for (const name in options) {
    if (!known.has(name)) throw unknownOption(prefix + name, prefix === '' ? known : [...known].map(each => prefix + each))
  }
}
