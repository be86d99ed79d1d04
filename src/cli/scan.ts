import type { Redis } from 'ioredis'

const keysPerScan = 500

export interface ScanOptions {
  /** Stop when so many were given out. */
  readonly limit: number
  readonly match?: string
  /** Stop after so many SCAN commands, whatever they found. Default: until the end of the keyspace. */
  readonly maxScans?: number
}

export interface Scanned {
  readonly keys: readonly string[]
  /** Every key of the server was looked at. */
  readonly complete: boolean
}

/**
 * Keys of one server by SCAN, never KEYS. SCAN goes through the hash table, so that the first keys it gives are as good a sample as any.
 * Each key is given once.
 */
export async function scanKeys(redis: Redis, { limit, match, maxScans = Infinity }: ScanOptions): Promise<Scanned> {
  const keys = new Set<string>()
  let cursor = '0'
  for (let scans = 0; scans < maxScans && keys.size < limit; scans++) {
    const matching = match === undefined ? [] : ['MATCH', match]
    const [next, found] = (await redis.call('SCAN', cursor, ...matching, 'COUNT', keysPerScan)) as [string, string[]]
    for (const key of found) {
      if (keys.size === limit) break
      keys.add(key)
    }
    cursor = next
    if (cursor === '0') return { keys: [...keys], complete: keys.size < limit }
  }
  return { keys: [...keys], complete: false }
}

/** Text as a glob that matches it alone. */
export function globOf(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}
