import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { KeyedChecksum } from '../../../src/codec/checksum.ts'

const bytes = Buffer.from('12345678payload')

test.each(['user:1', 'größe', '日本語', '', 'a\0b', 'x'.repeat(600)])(
  'covers the bytes after the checksum and the identity of %j',
  key => {
    const identity = Buffer.from(`shop\x007\0${key}`, 'utf8')
    const expected = crc32(Buffer.concat([identity, bytes.subarray(8)]))
    expect(new KeyedChecksum('shop').of({ key, version: 7 }, bytes)).toBe(expected)
  },
)

test('differs by namespace, version and key', () => {
  const sums = [
    new KeyedChecksum('shop').of({ key: 'a', version: 0 }, bytes),
    new KeyedChecksum('shop').of({ key: 'a', version: 1 }, bytes),
    new KeyedChecksum('shop').of({ key: 'b', version: 0 }, bytes),
    new KeyedChecksum('blog').of({ key: 'a', version: 0 }, bytes),
  ]
  expect(new Set(sums).size).toBe(4)
})
