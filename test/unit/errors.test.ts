import { describe, expect, it } from 'vitest'
import { isLeaseholdError, isStoreError, LeaseholdError, StoreError } from '../../src/core/errors.ts'

const foreign: readonly unknown[] = [undefined, null, 0, '', 'error', Symbol('x'), () => {}, {}, [], new Error('x')]

describe('isLeaseholdError', () => {
  it('knows our errors, all of them or those of one code', () => {
    const error = new LeaseholdError('INVALID_KEY', 'no')
    expect([isLeaseholdError(error), isLeaseholdError(error, 'INVALID_KEY')]).toEqual([true, true])
    expect(isLeaseholdError(error, 'CACHE_CLOSED')).toBe(false)
  })

  it('knows those of another copy of the package', () => {
    class Copy extends Error {
      readonly code = 'LOAD_TIMEOUT'
    }
    Object.defineProperty(Copy.prototype, Symbol.for('leasehold.error'), { value: true })
    expect(isLeaseholdError(new Copy('x'), 'LOAD_TIMEOUT')).toBe(true)
  })

  it.each(foreign)('takes %o for none', error => {
    expect([isLeaseholdError(error), isStoreError(error)]).toEqual([false, false])
  })
})

describe('isStoreError', () => {
  it('knows failed store commands alone', () => {
    expect(isStoreError(new StoreError('STORE_TIMEOUT', 'unknown', 'no'))).toBe(true)
    expect(isStoreError(new LeaseholdError('INVALID_KEY', 'no'))).toBe(false)
    expect(isStoreError({ outcome: 'unknown' })).toBe(false)
  })
})

describe('an error', () => {
  it('carries a cause only when there is one, even if that is undefined', () => {
    const cause = new Error('why')
    expect(new LeaseholdError('INVALID_KEY', 'no', { cause }).cause).toBe(cause)
    expect('cause' in new LeaseholdError('INVALID_KEY', 'no', { cause: undefined })).toBe(true)
    expect('cause' in new LeaseholdError('INVALID_KEY', 'no')).toBe(false)
  })
})
