import { expectTypeOf, test } from 'vitest'
import type { CacheOptions } from '../../src/index.ts'

type Local = NonNullable<CacheOptions['local']>

test('the local tier has three modes, and the mode has to be named', () => {
  expectTypeOf<Local['mode']>().toEqualTypeOf<'off' | 'validate' | 'trust'>()
  expectTypeOf<{ mode: 'validate'; maxEntries: number; maxBytes: number; ttl: '1m' }>().toExtend<Local>()
  expectTypeOf<{ maxEntries: number }>().not.toExtend<Local>()
  expectTypeOf<{ mode: 'verify' }>().not.toExtend<Local>()
})
