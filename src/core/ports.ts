/**
 * What the engine asks of the world. Stores, codecs and clocks implement these; the engine imports nothing else.
 */
export type * from './ports/clock.ts'
export type * from './ports/codec.ts'
export type * from './ports/store-provider.ts'
export type * from './ports/store.ts'
