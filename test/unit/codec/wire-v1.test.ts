import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import { lz4 } from '../../../src/codec/lz4.ts'
import { sameValue } from '../../same-value.ts'
import { goldenKey, goldenNamespace, goldenTimes, goldenToken, goldenValues } from './golden.ts'

/** Entries as wire version 1 wrote them. They stay in users' stores: what reads them must never need a change of this file. */
const lines = readFileSync(new URL('fixtures/wire-v1.hex', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const fixtures = lines.map(line => line.split(' ') as [name: string, hex: string])

const codec = createEntryCodec({
  namespace: goldenNamespace,
  values: 'copy',
  codec: 'msgpack',
  compression: lz4(),
  compressAbove: 1 << 20,
  maxValueBytes: 1 << 20,
})

test('there is a fixture for every golden value', () => {
  expect(fixtures.map(([name]) => name)).toEqual(Object.keys(goldenValues))
})

test.each(fixtures)('%s is still read', (name, hex) => {
  const entry = codec.open(goldenKey, Buffer.from(hex, 'hex'))
  if ('unreadable' in entry) throw new Error(entry.unreadable)
  const { createdAt, freshUntil, hardUntil, loadMs } = entry
  expect({ createdAt, freshUntil, hardUntil, loadMs }).toEqual(goldenTimes)
  expect(entry.token).toEqual(goldenToken)
  expect(entry.expired).toBe(name.endsWith('expired'))
  expect(sameValue(entry.value(), goldenValues[name])).toBe(true)
})
