import { isUtf8 } from 'node:buffer'
import type { Change } from '../core/ports.ts'
import { decodeWakeId } from './keys.ts'

/*
 * A change: a byte 1, a byte for its kind, its number (float64), and what it is of. 'c', a key: the token of the value that stands there now, or
 * zeros for none, then the key as wake-ups name it. 't', tags: for each its length (uint16) and itself. 'x': all that was stored before.
 * 'p', a pulse, which counts as no change: its number is that of the newest one, then the server's time in ms (float64).
 */
const busVersion = 1
const kinds = { key: 0x63, tags: 0x74, clear: 0x78, pulse: 0x70 } as const
const numberAt = 2
const bodyAt = 10
const tokenBytes = 16
const maxMessageBytes = 1 << 20
const noToken = Buffer.alloc(tokenBytes)

/** The change that a message tells of, or undefined for anything that is none of ours. */
export function decodeChange(message: Buffer): Change | undefined {
  if (message.length < bodyAt || message.length > maxMessageBytes || message[0] !== busVersion) return undefined
  const sequence = message.readDoubleBE(numberAt)
  if (!Number.isSafeInteger(sequence) || sequence < 0) return undefined
  const body = message.subarray(bodyAt)
  switch (message[1]) {
    case kinds.key:
      return decodeKey(sequence, body)
    case kinds.tags: {
      const tags = decodeTags(body)
      return tags === undefined ? undefined : { kind: 'tags', sequence, tags }
    }
    case kinds.clear:
      return body.length === 0 ? { kind: 'clear', sequence } : undefined
    case kinds.pulse: {
      if (body.length !== 8) return undefined
      const sentAt = body.readDoubleBE(0)
      return Number.isFinite(sentAt) ? { kind: 'pulse', sequence, sentAt } : undefined
    }
    default:
      return undefined
  }
}

function decodeKey(sequence: number, body: Buffer): Change | undefined {
  const wakeId = body.length > tokenBytes ? decodeWakeId(body.subarray(tokenBytes)) : undefined
  if (wakeId === undefined) return undefined
  const token = body.subarray(0, tokenBytes)
  return { kind: 'key', sequence, wakeId, token: token.equals(noToken) ? undefined : token }
}

function decodeTags(body: Buffer): string[] | undefined {
  const tags: string[] = []
  for (let at = 0; at < body.length;) {
    if (at + 2 > body.length) return undefined
    const end = at + 2 + body.readUInt16BE(at)
    const tag = body.subarray(at + 2, end)
    if (end > body.length || !isUtf8(tag)) return undefined
    tags.push(tag.toString())
    at = end
  }
  return tags
}
