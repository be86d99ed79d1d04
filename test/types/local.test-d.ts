import { expectTypeOf, test } from 'vitest'
import type { CacheOptions, LocalOptions } from '../../src/index.ts'

test('the local tier has three modes, and the mode has to be named', () => {
  expectTypeOf<LocalOptions['mode']>().toEqualTypeOf<'off' | 'validate' | 'trust'>()
  expectTypeOf<{ mode: 'validate'; maxEntries: number; maxBytes: number; ttl: '1m' }>().toExtend<LocalOptions>()
  expectTypeOf<{ maxEntries: number }>().not.toExtend<LocalOptions>()
  expectTypeOf<{ mode: 'verify' }>().not.toExtend<CacheOptions['local']>()
})
