import { checkDuration, checkInteger, checkNames, checkObject, checkOneOf } from './check-option.ts'
import { allowedFor, defaults } from './option-table.ts'
import { invalidOption } from './invalid-option.ts'
import type { EntryCodecOptions, LocalPolicy, ValueMemoryBounds } from './options.ts'

const names: ReadonlySet<string> = new Set(['mode', 'maxEntries', 'maxBytes', 'ttl'])

/** The option `local`, checked, with every default in place. @throws LeaseholdError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function resolveLocal(value: unknown, values: EntryCodecOptions['values']): LocalPolicy {
  const { localMaxEntries: maxEntries, localMaxBytes: maxBytes, localTtlMs: ttlMs } = defaults
  if (value === undefined) return { mode: 'off', maxEntries, maxBytes, ttlMs }
  const given = checkObject('local', value, allowedFor('local'))
  checkNames(given, names, 'local.')
  const mode = checkOneOf('local.mode', given['mode'], ['off', 'validate', 'trust'] as const)
  // Who could change what is remembered would change it for everybody.
  if (mode === 'validate' && values !== 'freeze')
    throw invalidOption('local.mode', mode, "'off' or 'trust' unless values is 'freeze'")
  return {
    mode,
    maxEntries: given['maxEntries'] === undefined ? maxEntries : checkInteger('local.maxEntries', given['maxEntries']),
    maxBytes: given['maxBytes'] === undefined ? maxBytes : checkInteger('local.maxBytes', given['maxBytes']),
    ttlMs: given['ttl'] === undefined ? ttlMs : checkDuration('local.ttl', given['ttl']),
  }
}

/** How much may be remembered of frozen values. Beside trusted copies, which hold their values themselves, it is a small part. */
export function rememberedValues({ mode, maxEntries, maxBytes }: LocalPolicy): ValueMemoryBounds | undefined {
  switch (mode) {
    case 'off':
      return undefined
    case 'validate':
      return { maxEntries, maxBytes }
    case 'trust':
      return { maxEntries, maxBytes: Math.ceil(maxBytes / 4) }
  }
}
