import type { EntryKey, StoredBytes } from '../core/ports.ts'
import type { StoreNode } from './store-node.ts'

/** Reads many keys, those of one server together. `undefined` stands for the keys whose server cannot be asked right now. */
export async function readByNode(
  keys: readonly EntryKey[],
  nodeOf: (key: EntryKey) => StoreNode | undefined,
  read: (node: StoreNode | undefined, keys: readonly EntryKey[]) => Promise<readonly StoredBytes[]>,
): Promise<readonly StoredBytes[]> {
  const nodes = keys.map(nodeOf)
  const [first] = nodes
  if (nodes.every(node => node === first)) return read(first, keys)
  const places = new Map<StoreNode | undefined, number[]>()
  for (const [place, node] of nodes.entries()) {
    const group = places.get(node)
    if (group === undefined) places.set(node, [place])
    else group.push(place)
  }
  const found: StoredBytes[] = Array.from({ length: keys.length }, () => null)
  await Promise.all(
    Array.from(places, async ([node, group]) => {
      const replies = await read(
        node,
        group.map(place => keys[place] as EntryKey),
      )
      for (const [nth, place] of group.entries()) found[place] = replies[nth] ?? null
    }),
  )
  return found
}
