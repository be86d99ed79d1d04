export { logCache } from './log-cache.ts'
export type { Logger, LogOptions } from './log-cache.ts'
