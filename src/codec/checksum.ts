import { crc32 } from 'node:zlib'
import type { EntryKey } from '../core/ports.ts'
import { offset } from './header.ts'

const table = new Uint32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1
  table[byte] = rest
}

/** CRC32 of an entry, continued from its key's identity, so that bytes copied from another key do not pass. */
export class KeyedChecksum {
  readonly #namespace: string
  readonly #prefixes = new Map<number, number>()

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  /** The checksum that belongs at `offset.checksum` of `bytes`. */
  of(key: EntryKey, bytes: Buffer): number {
    return crc32(bytes.subarray(offset.checked), continueWithText(this.#prefix(key.version), key.key))
  }

  #prefix(version: number): number {
    let prefix = this.#prefixes.get(version)
    if (prefix === undefined) this.#prefixes.set(version, (prefix = crc32(`${this.#namespace}\0${version}\0`)))
    return prefix
  }
}

/** For short ASCII a loop beats the call into native code. */
function continueWithText(checksum: number, text: string): number {
  let rest = ~checksum
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 127) return crc32(text, checksum)
    rest = (table[(rest ^ unit) & 0xff] as number) ^ (rest >>> 8)
  }
  return ~rest >>> 0
}
