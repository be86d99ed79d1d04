import { checkDuration, checkInteger, checkNames, checkObject, checkOneOf } from './check-option.ts'
import { allowedFor, defaults } from './option-table.ts'
import type { LocalPolicy } from './options.ts'

const names: ReadonlySet<string> = new Set(['mode', 'maxEntries', 'maxBytes', 'ttl'])

/** The option `local`, checked, with every default in place. @throws LeaseholdError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function resolveLocal(value: unknown): LocalPolicy {
  const { localMaxEntries: maxEntries, localMaxBytes: maxBytes, localTtlMs: ttlMs } = defaults
  if (value === undefined) return { mode: 'off', maxEntries, maxBytes, ttlMs }
  const given = checkObject('local', value, allowedFor('local'))
  checkNames(given, names, 'local.')
  return {
    mode: checkOneOf('local.mode', given['mode'], ['off', 'trust'] as const),
    maxEntries: given['maxEntries'] === undefined ? maxEntries : checkInteger('local.maxEntries', given['maxEntries']),
    maxBytes: given['maxBytes'] === undefined ? maxBytes : checkInteger('local.maxBytes', given['maxBytes']),
    ttlMs: given['ttl'] === undefined ? ttlMs : checkDuration('local.ttl', given['ttl']),
  }
}
