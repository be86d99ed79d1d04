import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeWake, escapeKey, Keys } from '../../../src/redis/keys.ts'
import { partitionOf } from '../../../src/redis/partition.ts'

const keys = new Keys('shop', '', 0, 512)
const at = (key: string, version = 0): { key: string; version: number } => ({ key, version })
const anyKey = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('%', ':', 'h', '2', '5', 'D', 'u', '\ud800', '\udc00', '\n', 'a') }),
)

describe('the names of keys', () => {
  it('carry namespace, partition, kind, version and the key itself', () => {
    expect(keys.value(at('user:7'))).toBe('shop:{p0409}:v:user:7')
    expect(keys.lease(at('user:7'))).toBe('shop:{p0409}:l:user:7')
    expect(keys.value(at('user:7', 3))).toBe('shop:{p0409}:v3:user:7')
    expect(keys.family(at('user:7', 3)).slice(2)).toEqual([
      'shop:{p0409}:v2:user:7',
      'shop:{p0409}:l2:user:7',
      'shop:{p0409}:v4:user:7',
      'shop:{p0409}:l4:user:7',
    ])
    expect(keys.channel).toBe('shop:bus')
    expect(new Keys('shop', 'app:', 2, 512).channel).toBe('app:shop:bus:2')
  })

  it('keep partitions as they are: they are part of the stored format', () => {
    const spread = ['', 'a', 'user:1', 'user:2', 'größe', '\u{1f600}'].map(partitionOf)
    expect(spread).toEqual([755, 102, 648, 44, 739, 122])
  })

  it('spread keys evenly over partitions', () => {
    const counts = Array.from({ length: 1024 }, () => 0)
    for (let i = 0; i < 102_400; i++) {
      const partition = partitionOf(`user:${i}`)
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    expect(Math.min(...counts)).toBeGreaterThan(40)
    expect(Math.max(...counts)).toBeLessThan(200)
  })

  it('have no neighbours below 0 or above 65535', () => {
    expect(keys.family(at('k', 0))).toHaveLength(4)
    expect(keys.family(at('k', 65_535))).toHaveLength(4)
    expect(keys.familyMessages(at('k', 65_535))).toHaveLength(2)
  })
})

describe('escaping', () => {
  it('leaves ordinary text alone, pairs of surrogates included', () => {
    for (const key of ['user:7', 'größe', '\u{1f600}', '{x}', ' ', '"\'\\']) expect(escapeKey(key)).toBe(key)
  })

  it('spells percent signs, control characters and lone surrogates', () => {
    expect(escapeKey('100%')).toBe('100%25')
    expect(escapeKey('a\r\nb\0\u007f\u009f')).toBe('a%0D%0Ab%00%7F%9F')
    expect(escapeKey('\ud800x\udfff\u{1f600}%')).toBe('%uD800x%uDFFF\u{1f600}%25')
  })

  it('is injective, also once written as UTF-8, and never looks like a hashed key', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const [x, y] = [escapeKey(a), escapeKey(b)]
        expect(Buffer.from(x).equals(Buffer.from(y))).toBe(a === b)
        expect(x).not.toContain('%h')
        expect(Buffer.from(x).toString()).toBe(x)
      }),
    )
  })
})

describe('keys that are too long', () => {
  it('are hashed whole, and keep the name before the first colon', () => {
    const long = `user:${'x'.repeat(600)}`
    expect(keys.suffix(long)).toMatch(/^user:%h[\w-]{43}$/)
    expect(keys.suffix(long)).not.toBe(keys.suffix(`${long}y`))
    expect(keys.value(at(long)).startsWith('shop:{p')).toBe(true)
    expect(keys.wakeId(at(long, 2))).toBe(`2:${keys.suffix(long)}`)
  })

  it('are measured in bytes', () => {
    expect(keys.suffix('x'.repeat(512))).toBe('x'.repeat(512))
    expect(keys.suffix('x'.repeat(513))).toContain('%h')
    expect(keys.suffix('é'.repeat(256))).toBe('é'.repeat(256))
    expect(keys.suffix('é'.repeat(257))).toContain('%h')
  })

  it('keep at most 64 bytes readable, in whole characters and escapes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 600, maxLength: 700 }), key => {
        const [prefix, hash] = keys.suffix(key).split(':%h')
        expect(hash).toHaveLength(43)
        expect(Buffer.byteLength(prefix as string)).toBeLessThanOrEqual(64)
        expect(escapeKey(key).startsWith(prefix as string)).toBe(true)
        expect(escapeKey(unescaped(prefix as string))).toBe(prefix)
      }),
    )
  })
})

function unescaped(text: string): string {
  return text.replace(/%u([0-9A-F]{4})|%([0-9A-F]{2})/g, (_, wide, narrow) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
  )
}

describe('wake-ups', () => {
  it('name what wakeId names', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.integer({ min: 0, max: 65_535 }), (key, version) => {
        expect(decodeWake(keys.message(at(key, version)))).toBe(keys.wakeId(at(key, version)))
      }),
    )
  })

  it('of a family name its versions in the order of its keys', () => {
    expect(keys.familyMessages(at('k', 3)).map(decodeWake)).toEqual(['3:k', '2:k', '4:k'])
  })
})
