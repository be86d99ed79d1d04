import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import { LocalTier } from '../../../src/core/local/local-tier.ts'
import { resolveCacheOptions } from '../../../src/core/options/resolve-options.ts'
import type { EntryKey } from '../../../src/core/ports.ts'
import { copyTable } from '../../../src/memory/copy-table.ts'

/*
 * Run with --expose-gc: puts so many distinct keys through a local tier of so many bytes, and prints by how much what the process holds has grown.
 * Arguments: how many keys, maxBytes, `values`.
 */
const [keys, maxBytes, values] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] as 'copy' | 'freeze']

const storeNow = Date.now()
const times = { createdAt: storeNow, freshUntil: storeNow + 3_600_000, hardUntil: storeNow + 3_600_000, loadMs: 0 }
const clock = {
  now: () => 0,
  wallNow: () => storeNow,
  setTimeout: () => undefined as never,
  clearTimeout: () => {},
  unref: () => {},
}
const codec = createEntryCodec(resolveCacheOptions({ namespace: 'heap', values, local: { mode: 'trust', maxBytes } }).codec)
const limits = { version: 0, maxEntries: 10_000_000, maxBytes, ttlMs: 3_600_000, detectionMs: 3_000 }
const tier = new LocalTier(clock, ({ key }) => `0:${key}`, copyTable, limits)
tier.hear({ kind: 'pulse', sequence: 0, sentAt: storeNow }, storeNow)

/** Entries as a store would hand them out: none shares its memory with what is kept of another. */
function entriesOf(from: number, until: number): { readonly key: EntryKey; readonly bytes: Buffer }[] {
  return Array.from({ length: until - from }, (_, nth) => {
    const index = from + nth
    const key = { key: `user:id=${index}`, version: 0 }
    const token = Buffer.alloc(16)
    token.writeUInt32BE(index + 1)
    const value = {
      id: `u_${index}`,
      name: `Ada Lovelace the ${index}th`,
      email: `ada.${index}@example.com`,
      roles: ['admin', `team-${index}`],
      active: true,
      score: index + 0.5,
    }
    return { key, bytes: codec.encode(key, value, times, token) }
  })
}

function put(from: number, until: number): void {
  for (let start = from; start < until; start += 1_000) {
    for (const { key, bytes } of entriesOf(start, Math.min(until, start + 1_000))) {
      const entry = codec.open(key, bytes)
      if ('unreadable' in entry) throw new Error(entry.unreadable)
      entry.value()
      tier.remember(key, entry, entry.tags, tier.position, storeNow)
    }
  }
}

function held(): number {
  if (globalThis.gc === undefined) throw new Error('start with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

// What is compiled and made once is no growth.
put(0, 2_000)
tier.changeAll()
const before = held()
put(2_000, 2_000 + keys)
process.stdout.write(JSON.stringify({ grownBytes: held() - before, ...tier.size }))
