import type { EntryKey, StoredBytes } from '../core/ports.ts'
import type { StoreNode } from './store-node.ts'

/** Reads many keys, those of one server together. `undefined` stands for the keys whose server cannot be asked right now. */
export async function readByNode(
  keys: readonly EntryKey[],
  nodeOf: (key: EntryKey) => StoreNode | undefined,
  read: (node: StoreNode | undefined, keys: readonly EntryKey[]) => Promise<readonly StoredBytes[]>,
): Promise<readonly StoredBytes[]> {
  const groups = new Map<StoreNode | undefined, number[]>()
  for (const [index, key] of keys.entries()) {
    const node = nodeOf(key)
    const group = groups.get(node)
    if (group === undefined) groups.set(node, [index])
    else group.push(index)
  }
  if (groups.size === 1) for (const node of groups.keys()) return read(node, keys)
  const found: StoredBytes[] = Array.from({ length: keys.length }, () => null)
  await Promise.all(
    Array.from(groups, async ([node, group]) => {
      const replies = await read(
        node,
        group.map(index => keys[index] as EntryKey),
      )
      for (const [nth, index] of group.entries()) found[index] = replies[nth] ?? null
    }),
  )
  return found
}
