import type { Redis } from 'ioredis'

/** The Redis keys under which Leasehold stored `keys`, in their order. */
export async function storedKeys(raw: Redis, namespace: string, keys: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>()
  for await (const batch of raw.scanStream({ match: `${namespace}:*:v:*`, count: 1000 }) as AsyncIterable<string[]>) {
    for (const stored of batch) found.set(stored.slice(stored.indexOf(':v:') + 3), stored)
  }
  return keys.map(key => found.get(key) ?? key)
}
