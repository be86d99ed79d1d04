import type { Engine } from '../engine.ts'
import { storeErrorOnly, type StoreError } from '../errors.ts'
import type { Found } from '../local/header-reads.ts'
import type { EntryKey } from '../ports.ts'

/** As many as a store takes in one command. */
const chunkKeys = 512
/** While one chunk is decoded the next are on their way; more would only hold up the reads of others. */
const chunksInFlight = 4

/**
 * Reads every key, those of a chunk in one command, and hands on what was found as it comes: where the key stands in `keys`, the namespace record
 * that came with it, and how long its command took.
 */
export async function readEach(
  engine: Engine,
  keys: readonly string[],
  version: number,
  onRead: (key: EntryKey, found: Found | StoreError, index: number, record: Buffer | null, readMs: number) => void,
): Promise<void> {
  let next = 0
  const readOn = async (): Promise<void> => {
    while (next < keys.length) {
      const start = next
      next += chunkKeys
      const chunk: EntryKey[] = []
      for (let index = start; index < keys.length && index < next; index++) chunk.push({ key: keys[index] as string, version })
      const sentAt = engine.clock.now()
      const found = await readChunk(engine, chunk)
      const record = engine.store.namespaceRecord
      const readMs = engine.clock.now() - sentAt
      for (let nth = 0; nth < chunk.length; nth++) {
        onRead(chunk[nth] as EntryKey, found[nth] ?? null, start + nth, record, readMs)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(chunksInFlight, Math.ceil(keys.length / chunkKeys)) }, readOn))
}

async function readChunk({ reads, options }: Engine, keys: readonly EntryKey[]): Promise<readonly (Found | StoreError)[]> {
  const { commandTimeoutMs } = options
  if (reads.readMany === undefined) {
    return Promise.all(keys.map(key => reads.read(key, commandTimeoutMs).catch(storeErrorOnly)))
  }
  try {
    return await reads.readMany(keys, commandTimeoutMs)
  } catch (error) {
    const failure = storeErrorOnly(error)
    return keys.map(() => failure)
  }
}
