/** Tag names as an entry carries them after its header: each in UTF-8 behind one byte with its length. */

export function tagBlockBytes(names: readonly string[]): number {
  let bytes = 0
  for (const name of names) bytes += 1 + Buffer.byteLength(name)
  return bytes
}

/** @throws RangeError when there is no room, or a name takes more than 255 bytes. */
export function writeTagBlock(bytes: Buffer, start: number, names: readonly string[]): void {
  let at = start
  for (const name of names) {
    at = bytes.writeUInt8(Buffer.byteLength(name), at)
    at += bytes.write(name, at)
  }
}

/** The names between `start` and `end`; undefined when they are not a whole number of names. */
export function readTagBlock(bytes: Buffer, start: number, end: number): string[] | undefined {
  const names: string[] = []
  for (let at = start; at < end;) {
    const length = bytes[at] as number
    const next = at + 1 + length
    if (length === 0 || next > end) return undefined
    names.push(bytes.toString('utf8', at + 1, next))
    at = next
  }
  return names
}
