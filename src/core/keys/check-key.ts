import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'

/** @throws LeaseholdError `INVALID_KEY` for anything but a text that is not empty */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key === 'string' && key !== '') return
  const got = key === '' ? 'an empty one' : typeof key
  throw new LeaseholdError('INVALID_KEY', `a key must be a non-empty string, not ${got}`, {})
}

/** @throws LeaseholdError `INVALID_KEY` */
export function checkKeys(keys: unknown): asserts keys is readonly string[] {
  if (!Array.isArray(keys)) throw new LeaseholdError('INVALID_KEY', `keys must be an array, not ${describeValue(keys)}`, {})
  for (const key of keys) checkKey(key)
}
