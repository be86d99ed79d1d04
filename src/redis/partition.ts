/** How many partitions keys are spread over: a constant of the wire version. The keys of one partition share a cluster slot. */
export const partitionCount = 1024

/** The partition of a logical key: FNV-1a over its UTF-16 code units, folded. */
export function partitionOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  }
  return (hash ^ (hash >>> 10) ^ (hash >>> 20)) & (partitionCount - 1)
}

/** A partition as keys spell it: `p0000` to `p1023`. */
export function partitionName(partition: number): string {
  return `p${String(partition).padStart(4, '0')}`
}
