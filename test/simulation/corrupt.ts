import { KeyedChecksum } from '../../src/codec/checksum.ts'
import { headerBytes, offset } from '../../src/codec/header.ts'
import type { EntryKey } from '../../src/index.ts'
import type { Damage } from './plan.ts'
import { namespace, tableId } from './server.ts'
import type { World } from './world.ts'

const unknownCodec = 77
/** Neither MessagePack nor JSON, nor a deflated block. */
const noise = 0xc1

/** Damages what stands at a key. The expired mark is left alone: no checksum covers it. False if there is nothing to damage. */
export function corrupt(world: World, key: EntryKey, damage: Damage): boolean {
  const { tables, now } = world.server
  const id = tableId(key)
  const bytes = tables.bytesAt(id, now)
  if (bytes === undefined || bytes.length <= headerBytes) return false
  const changed = damage === 'swap' ? bytesOfAnother(world, id) : Buffer.from(bytes)
  if (changed === undefined) return false
  const spot = world.plan.seed % (bytes.length - offset.checksum)
  switch (damage) {
    case 'flip':
      changed[offset.checksum + spot] = (changed[offset.checksum + spot] as number) ^ 0x10
      break
    case 'cut':
      tables.replace(id, changed.subarray(0, spot % 2 === 0 ? headerBytes + 3 : spot))
      return true
    case 'foreign':
      changed.fill(0x7b)
      break
    case 'future':
      changed[offset.version] = 9
      break
    case 'codec':
      changed[offset.codec] = unknownCodec
      seal(key, changed)
      break
    case 'payload':
      changed.fill(noise, headerBytes)
      seal(key, changed)
      break
    case 'swap':
  }
  tables.replace(id, changed)
  return true
}

function seal(key: EntryKey, bytes: Buffer): void {
  bytes.writeUInt32BE(new KeyedChecksum(namespace).of(key, bytes), offset.checksum)
}

/** Once in a run: bytes that are moved there and back are the key's own again, and old. */
function bytesOfAnother(world: World, id: string): Buffer | undefined {
  const { tables, now } = world.server
  if (world.swapped) return undefined
  for (const { payload } of world.history.births) {
    const other = tableId(payload)
    const bytes = other === id ? undefined : tables.bytesAt(other, now)
    if (bytes === undefined) continue
    world.swapped = true
    return Buffer.from(bytes)
  }
  return undefined
}
