import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeWake } from '../../../src/redis/keys.ts'

/** Messages as version 1 of the bus sent them. Processes of an older release still send them, so what reads them must never need a change of this file. */
const lines = readFileSync(new URL('fixtures/bus-v1.hex', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const fixtures = lines.map(line => line.split(' ') as [name: string, hex: string])

const wakeIds: Readonly<Record<string, string>> = {
  plain: '0:user:7',
  version: '65535:user:7',
  escaped: '1:100%25%0A%uD800',
  unicode: '258:größe:\u{1f600}',
  hashed: '2:user:%hTEMgDlJn7J-KEFV7TYzDa2PgJObj8EHbLwpdMDgxxJw',
}

describe('a wake-up of version 1', () => {
  it.each(fixtures)('%s is still understood', (name, hex) => {
    expect(decodeWake(Buffer.from(hex, 'hex'))).toBe(wakeIds[name])
  })

  it('is there for every kind of key', () => {
    expect(fixtures.map(([name]) => name)).toEqual(Object.keys(wakeIds))
  })
})

describe('what is no wake-up of version 1', () => {
  const plain = Buffer.from(fixtures[0]![1], 'hex')
  const changed = (at: number, byte: number): Buffer => Buffer.from(plain.map((old, index) => (index === at ? byte : old)))
  const ofLength = (length: number): Buffer => Buffer.concat([plain.subarray(0, 4), Buffer.alloc(length, 'k')])

  it.each<readonly [string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['no more than a head', plain.subarray(0, 4)],
    ['of a later version', changed(0, 2)],
    ['of another kind', changed(1, 0x76)],
    ['no text', changed(6, 0xff)],
    ['longer than any key', ofLength(8193)],
  ])('is ignored: %s', (_name, message) => {
    expect(decodeWake(message)).toBeUndefined()
  })

  it('begins beyond the longest key', () => {
    expect(decodeWake(ofLength(8192))).toBe(`0:${'k'.repeat(8192)}`)
  })
})
