import { LRUCache } from 'lru-cache'
import type { CopyTable, CopyTableLimits, LocalCopy } from '../core/local/local-tier.ts'

/** The table of the local tier. */
export function copyTable({ maxEntries, maxBytes, sizeOf, onGone }: CopyTableLimits): CopyTable {
  return new LRUCache<string, LocalCopy>({ max: maxEntries, maxSize: maxBytes, sizeCalculation: sizeOf, dispose: onGone })
}
