export { meterCache } from './meter-cache.ts'
export type { MeterOptions } from './meter-cache.ts'
export { traceCache } from './trace-cache.ts'
export type { TraceOptions } from './trace-cache.ts'
