import { describe, expect, it } from 'vitest'
import type { Change } from '../../../src/core/ports.ts'
import { decodeChange } from '../../../src/redis/changes.ts'

/** Messages as version 1 of the bus sends them. Processes of an older release still send them, so none may ever be understood otherwise. */
const seven = '401c000000000000'
const fixtures: Readonly<Record<string, readonly [hex: string, change: Change]>> = {
  'another value': [
    `0163${seven}00112233445566778899aabbccddeeff0003${Buffer.from('größe').toString('hex')}`,
    { kind: 'key', sequence: 7, wakeId: '3:größe', token: Buffer.from('00112233445566778899aabbccddeeff', 'hex') },
  ],
  'no value any more': [`0163${seven}${'00'.repeat(16)}00006b`, { kind: 'key', sequence: 7, wakeId: '0:k', token: undefined }],
  tags: [`0174${seven}0003726564000474c3bc67`, { kind: 'tags', sequence: 7, tags: ['red', 'tüg'] }],
  clear: [`0178${seven}`, { kind: 'clear', sequence: 7 }],
  pulse: [`0170${seven}427a39dd6ca00000`, { kind: 'pulse', sequence: 7, sentAt: 1_802_239_396_352 }],
}
const bytesOf = (name: string): Buffer => Buffer.from(fixtures[name]?.[0] ?? '', 'hex')
const changed = (name: string, at: number, ...bytes: number[]): Buffer => {
  const message = bytesOf(name)
  message.set(bytes, at)
  return message
}

describe('a change of version 1', () => {
  it.each(Object.entries(fixtures))('is understood: %s', (_name, [hex, change]) => {
    expect(decodeChange(Buffer.from(hex, 'hex'))).toEqual(change)
  })
})

describe('what is no change of version 1 is ignored:', () => {
  it.each<readonly [string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a head that ends early', bytesOf('clear').subarray(0, 9)],
    ['of a later version', changed('clear', 0, 2)],
    ['of another kind', changed('clear', 1, 0x77)],
    ['a number that is none', changed('clear', 2, 0x7f, 0xf8)],
    ['a negative number', changed('clear', 2, 0xc0)],
    ['a fraction', changed('clear', 2, 0x3f, 0xe0)],
    ['a clear with more to it', Buffer.concat([bytesOf('clear'), Buffer.alloc(1)])],
    ['a key without a name', bytesOf('no value any more').subarray(0, 28)],
    ['a name that is no text', changed('no value any more', 28, 0xff)],
    ['a tag that ends early', bytesOf('tags').subarray(0, -1)],
    ['a tag that is no text', changed('tags', 12, 0xff)],
    ['half a length', bytesOf('tags').subarray(0, 16)],
    ['a pulse without its time', bytesOf('pulse').subarray(0, 12)],
    ['a pulse whose time is none', changed('pulse', 10, 0x7f, 0xf8)],
    ['more than anybody sends', Buffer.concat([bytesOf('tags'), Buffer.alloc(1 << 20)])],
  ])('%s', (_name, message) => {
    expect(decodeChange(message)).toBeUndefined()
  })
})
