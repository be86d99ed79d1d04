import { invalidOption } from '../core/options/invalid-option.ts'

/** Milliseconds from 0, Infinity included. @throws LeaseholdError `INVALID_OPTION` */
export function checkMs(option: string, value: unknown): void {
  if (!(typeof value === 'number' && value >= 0)) throw invalidOption(option, value, 'a number of milliseconds from 0')
}

/** @throws LeaseholdError `INVALID_OPTION` */
export function checkFinite(option: string, value: unknown, allowed = 'a finite number'): void {
  if (!Number.isFinite(value)) throw invalidOption(option, value, allowed)
}

/** @throws LeaseholdError `INVALID_OPTION` */
export function checkFunction(option: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidOption(option, value, 'a function')
}
