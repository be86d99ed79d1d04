import { checkNames, checkObject, hasMethods } from '../core/options/check-option.ts'
import { invalidOption } from '../core/options/invalid-option.ts'

/** @throws LeaseholdError `INVALID_OPTION` */
export function checkCache(cache: unknown): void {
  if (!hasMethods(cache, 'on', 'off', 'status', 'countHits', 'trace')) throw invalidOption('cache', cache, 'a cache')
}

/** @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION` */
export function checkOptions(options: unknown, known: ReadonlySet<string>): void {
  checkNames(checkObject('options', options, 'an object'), known)
}

/**
 * The text that an option gives, or what stands in for it.
 *
 * @throws LeaseholdError `INVALID_OPTION`
 */
export function textOr(option: string, value: unknown, otherwise: string): string {
  if (value === undefined) return otherwise
  if (typeof value === 'string' && value !== '') return value
  throw invalidOption(option, value, 'a non-empty string')
}

/** @throws LeaseholdError `INVALID_OPTION` */
export function checkFlag(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidOption(option, value, 'true or false')
}

/** An object of another library, known by the methods that are needed of it. @throws LeaseholdError `INVALID_OPTION` */
export function checkMethods(option: string, value: unknown, allowed: string, ...methods: readonly string[]): void {
  if (!hasMethods(value, ...methods)) throw invalidOption(option, value, allowed)
}
