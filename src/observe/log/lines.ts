import type { CacheEventName, CacheEvents } from '../../core/events.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

interface Line {
  readonly level: Level
  readonly message: string
  /** Whether the call was answered from the cache; only for calls. */
  readonly cacheHit?: boolean
}

type Describe = { readonly [Name in CacheEventName]?: (record: CacheEvents[Name]) => Line | undefined }

const quiet = undefined

/** What happens to calls: one line for each, if asked for. */
export const callLines: Describe = {
  hit: () => ({ level: 'debug', message: 'cache hit', cacheHit: true }),
  stale: ({ reason }) => ({ level: 'debug', message: `stale value answered (${reason})`, cacheHit: true }),
  miss: ({ outcome }) => ({ level: 'debug', message: `cache miss (${outcome})`, cacheHit: false }),
  lookup: ({ operation, outcome }) => ({ level: 'debug', message: `${operation}: ${outcome}`, cacheHit: outcome !== 'absent' }),
  set: ({ outcome }) => ({ level: 'debug', message: `set: ${outcome}` }),
  invalidate: ({ operation }) => ({ level: 'debug', message: `${operation} applied` }),
}

/** What someone should know of. */
export const problemLines: Describe = {
  load: ({ outcome }) => {
    if (outcome === 'failed') return { level: 'warn', message: 'a loader failed' }
    return outcome === 'timeout' ? { level: 'warn', message: 'a loader did not settle within timeout.hard' } : quiet
  },
  commit: ({ outcome }) => {
    if (outcome === 'stored') return quiet
    return { level: outcome === 'lost' ? 'info' : 'warn', message: `a loaded value was not stored (${outcome})` }
  },
  lost: () => ({ level: 'info', message: 'a lease was lost while its loader was running' }),
  refresh: ({ outcome }) => (outcome === 'failed' ? { level: 'warn', message: 'a background refresh failed' } : quiet),
  set: ({ outcome }) => (outcome === 'stored' ? quiet : { level: 'warn', message: `a set was not stored (${outcome})` }),
  'encode-error': () => ({ level: 'error', message: 'a value cannot be written by the codec' }),
  'decode-error': ({ reason }) => ({ level: 'error', message: `stored bytes are no readable entry (${reason})` }),
  'store-error': ({ command }) => ({ level: 'warn', message: `a store command failed (${command})` }),
  journal: ({ change }) => {
    if (change === 'deferred') return { level: 'warn', message: 'an invalidation could not be told to the store yet' }
    if (change === 'overflowed')
      return {
        level: 'error',
        message: 'too many invalidations wait to be told to the store: it is told to clear the namespace instead',
      }
    if (change === 'doubted')
      return { level: 'warn', message: 'another server answers: it is told the recent invalidations again' }
    return { level: 'info', message: 'the store has been told what was deferred' }
  },
  breaker: ({ state, reason }) => ({
    level: state === 'closed' ? 'info' : 'warn',
    message: `the breaker of a server is ${state} (${reason})`,
  }),
  connection: ({ part, state }) => ({
    level: state === 'up' ? 'info' : 'warn',
    message: `the ${part === 'bus' ? 'bus that carries wake-ups' : 'store'} is ${state}`,
  }),
}
