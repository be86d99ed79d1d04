import { deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { deflate } from '../../../src/codec/deflate.ts'
import { lz4 } from '../../../src/codec/lz4.ts'

const text = Buffer.from('the quick brown fox '.repeat(500))

describe.each([deflate, lz4()])('$name', compression => {
  const compressed = Buffer.from(compression.compress(text))

  test('gives back the bytes and makes them fewer', () => {
    expect(compressed.length).toBeLessThan(text.length / 4)
    expect(compression.decompress(compressed, text.length)).toEqual(text)
  })

  test('refuses to produce more than it is allowed', () => {
    expect(() => compression.decompress(compressed, text.length - 1)).toThrow(Error)
    expect(() => compression.decompress(compressed, 0)).toThrow(Error)
  })

  test('raises an ordinary error for garbage', () => {
    for (let length = 0; length < 40; length++) {
      expect(() => compression.decompress(Buffer.alloc(length, 0xfe), 1000)).toThrow(Error)
    }
  })
})

test('a deflate bomb stops at the limit', () => {
  expect(() => deflate.decompress(deflateRawSync(Buffer.alloc(50_000_000)), 1_000_000)).toThrow(RangeError)
})

test('an lz4 block that claims gigabytes is refused before anything is allocated', () => {
  const bomb = Buffer.from(lz4().compress(text))
  bomb.writeUInt32LE(0xffff_ffff, 0)
  expect(() => lz4().decompress(bomb, 1_000_000)).toThrow('more than 1000000')
})
