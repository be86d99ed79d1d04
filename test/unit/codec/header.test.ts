import { describe, expect, test } from 'vitest'
import {
  hasHeader,
  headerBytes,
  isFreshAt,
  mark,
  markExpired,
  offset,
  payloadStart,
  peekToken,
  rewriteHeader,
  sameToken,
  writeHeader,
} from '../../../src/codec/header.ts'

const token = Buffer.from('0123456789abcdef')
const fields = {
  codec: 2,
  compression: 1,
  token,
  payloadBytes: 77,
  createdAt: 1000,
  freshUntil: 2000,
  hardUntil: 3000,
  loadMs: 40,
}

function header(changes: Partial<typeof fields> = {}): Buffer {
  const bytes = Buffer.alloc(headerBytes, 0xee)
  writeHeader(bytes, { ...fields, ...changes })
  return bytes
}

describe('the header', () => {
  test('has every field where the wire format puts it', () => {
    const bytes = header()
    expect(bytes.toString('latin1', 0, 2)).toBe('LH')
    expect([...bytes.subarray(2, 4)]).toEqual([1, mark.live])
    expect([...bytes.subarray(8, 12)]).toEqual([2, 1, 0, 0])
    expect([12, 18, 24].map(at => bytes.readUIntBE(at, 6))).toEqual([1000, 2000, 3000])
    expect(bytes.readUInt32BE(30)).toBe(40)
    expect(bytes.subarray(34, 50)).toEqual(token)
    expect(bytes.subarray(50, 72)).toEqual(Buffer.alloc(22))
    expect(bytes.readUInt32BE(72)).toBe(77)
    expect(payloadStart(bytes)).toBe(76)
  })

  test('rounds times down, load durations to the nearest, and saturates both', () => {
    const bytes = header({ createdAt: 1.9, freshUntil: -5, hardUntil: Infinity, loadMs: 1e12 })
    expect([12, 18, 24].map(at => bytes.readUIntBE(at, 6))).toEqual([1, 0, 2 ** 48 - 1])
    expect(bytes.readUInt32BE(offset.loadMs)).toBe(2 ** 32 - 1)
    expect(header({ loadMs: 0.6 }).readUInt32BE(offset.loadMs)).toBe(1)
    expect(header({ createdAt: NaN }).readUIntBE(offset.createdAt, 6)).toBe(0)
  })

  test('refuses a token of another length, and bytes too short for a header', () => {
    expect(() => header({ token: Buffer.alloc(15) })).toThrow(RangeError)
    expect(() => rewriteHeader(header(), fields, Buffer.alloc(17))).toThrow(RangeError)
    expect(() => writeHeader(Buffer.alloc(75), fields)).toThrow(RangeError)
  })

  test('rewriting gives new times and a new token and makes the entry live again', () => {
    const bytes = header()
    markExpired(bytes)
    rewriteHeader(bytes, { createdAt: 5, freshUntil: 6, hardUntil: 7, loadMs: 8 }, Buffer.alloc(16, 9))
    expect(bytes).toEqual(header({ createdAt: 5, freshUntil: 6, hardUntil: 7, loadMs: 8, token: Buffer.alloc(16, 9) }))
  })
})

describe('freshness by header alone', () => {
  test('ends when freshUntil is reached', () => {
    expect(isFreshAt(header(), 1999)).toBe(true)
    expect(isFreshAt(header(), 2000)).toBe(false)
  })

  test('is lost with any mark, another version, another magic, or a byte too few', () => {
    const spoilt = (at: number, byte: number): Buffer => {
      const bytes = header()
      bytes[at] = byte
      return bytes
    }
    expect(isFreshAt(spoilt(offset.mark, mark.expired), 0)).toBe(false)
    expect(isFreshAt(spoilt(offset.mark, 1), 0)).toBe(false)
    expect(isFreshAt(spoilt(offset.version, 2), 0)).toBe(false)
    expect(isFreshAt(spoilt(offset.magic, 0), 0)).toBe(false)
    for (let length = 0; length < headerBytes; length++) expect(isFreshAt(header().subarray(0, length), 0)).toBe(false)
    expect(hasHeader(Buffer.alloc(0))).toBe(false)
  })

  test('marking stale in place is refused for bytes too short to be an entry', () => {
    const bytes = header()
    expect(markExpired(bytes)).toBe(true)
    expect(bytes[offset.mark]).toBe(mark.expired)
    const short = header().subarray(0, 75)
    expect(markExpired(short)).toBe(false)
    expect(short[offset.mark]).toBe(mark.live)
  })
})

describe('tokens', () => {
  test('are read wherever there are bytes enough', () => {
    expect(peekToken(header())).toEqual(token)
    expect(peekToken(Buffer.alloc(50, 7))).toEqual(Buffer.alloc(16, 7))
    expect(peekToken(Buffer.alloc(49))).toBeUndefined()
  })

  test('are the same only when every byte is', () => {
    expect(sameToken(header(), header({ createdAt: 1 }))).toBe(true)
    expect(sameToken(header(), header({ token: Buffer.from('0123456789abcdeF') }))).toBe(false)
    expect(sameToken(header(), header({ token: Buffer.from('X123456789abcdef') }))).toBe(false)
    expect(sameToken(header().subarray(0, 49), header().subarray(0, 49))).toBe(false)
  })
})
