import { describe, expect, it } from 'vitest'
import type { CommitRequest } from '../../../src/core/ports.ts'
import { answered } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

interface Row {
  tags: string[]
}

const row = (): Row => ({ tags: ['a'] })

describe('values: copy', () => {
  it('gives every caller a value of its own', async () => {
    const { a, b, source, until } = openFleet()
    const answers = await until(Promise.all([a, a, b].map(cache => cache.getOrSet('k', source.returns(10, row())))))
    answers.push(await until(a.getOrSet('k', row)))
    expect(new Set(answers).size).toBe(4)
    answers[0]!.tags.push('changed by a caller')
    for (const answer of answers.slice(1)) expect(answer).toEqual(row())
    expect(await a.get('k')).toEqual(row())
  })

  it('gives the first caller a value that came through the codec', async () => {
    const { a, source, until } = openFleet({ codec: 'json' })
    const loaded = row()
    const first = await until(a.getOrSet('k', source.returns(10, loaded)))
    expect(first).toEqual(loaded)
    expect(first).not.toBe(loaded)
  })

  it('gives a caller whose value is not stored one that came through the codec, too', async () => {
    const { a, source, store, until } = openFleet()
    store.script = ({ command }) => (command === 'acquire' ? answered({ kind: 'full' }) : undefined)
    const loaded = row()
    const first = await until(a.getOrSet('k', source.returns(10, loaded)))
    expect(first).toEqual(loaded)
    expect(first).not.toBe(loaded)
  })
})

describe('values: freeze', () => {
  it('gives every caller of a process the same frozen value', async () => {
    const { a, source, until } = openFleet({ values: 'freeze' })
    const answers = await until(Promise.all([1, 2].map(() => a.getOrSet('k', source.returns(10, row())))))
    answers.push(await until(a.getOrSet('k', row)))
    answers.push((await a.get<Row>('k'))!)
    expect(new Set(answers).size).toBe(1)
    expect(Object.isFrozen(answers[0])).toBe(true)
    expect(Object.isFrozen(answers[0]!.tags)).toBe(true)
  })

  it('does not freeze what the loader returned', async () => {
    const { a, source, until } = openFleet({ values: 'freeze' })
    const loaded = row()
    await until(a.getOrSet('k', source.returns(10, loaded)))
    expect(Object.isFrozen(loaded)).toBe(false)
  })

  it('gives a new value once another was stored', async () => {
    const { a, b, until } = openFleet({ values: 'freeze' })
    await until(b.set('k', { version: 1 }))
    const one = await a.get('k')
    await until(b.set('k', { version: 2 }))
    const two = await a.get('k')
    expect([one, two]).toEqual([{ version: 1 }, { version: 2 }])
  })

  it('notices that a value was expired, though it was decoded before', async () => {
    const { a, b, until } = openFleet({ values: 'freeze' })
    await until(b.set('k', row()))
    expect(await a.get('k')).toEqual(row())
    await until(b.expire('k'))
    expect(await a.has('k')).toBe(false)
    expect(await a.get('k')).toBeUndefined()
  })
})

describe('a value that the codec cannot keep', () => {
  it('fails the call and all who joined, by name, and gives the lease up', async () => {
    const { a, b, clock, source } = openFleet({ lease: '10s' })
    const calls = [a, a, b].map(cache => track(clock, cache.getOrSet('k', source.returns(100, { method: () => 1 }))))
    await clock.advance(200)
    for (const call of calls) expect(call.error).toMatchObject({ code: 'UNSERIALIZABLE_VALUE', key: 'k' })
    expect(source.loads).toBe(2)
  })

  it('fails a set before anything stored is touched', async () => {
    const { a, store, until } = openFleet()
    await until(a.set('k', 'old'))
    await expect(until(a.set('k', () => 1))).rejects.toMatchObject({ code: 'UNSERIALIZABLE_VALUE' })
    await expect(until(a.set('k', undefined))).rejects.toMatchObject({ code: 'UNSERIALIZABLE_VALUE' })
    expect(await a.get('k')).toBe('old')
    expect(store.count('put')).toBe(1)
  })

  it('fails alike while the store is down', async () => {
    const { a, source, until } = openFleet({}, ({ command }) => (command === 'acquire' ? answered({ kind: 'full' }) : undefined))
    await expect(
      until(
        a.getOrSet(
          'k',
          source.returns(10, () => 1),
        ),
      ),
    ).rejects.toMatchObject({ code: 'UNSERIALIZABLE_VALUE' })
  })
})

describe('bytes that are no entry', () => {
  const spoilt: readonly [string, (bytes: Buffer) => Buffer, string][] = [
    [
      'foreign',
      () => Buffer.from('not ours at all, and long enough to be a header if it were one, as it goes on and on'),
      'foreign',
    ],
    ['of another wire version', bytes => bytes.fill(9, 2, 3), 'wire-version'],
    ['cut short', bytes => bytes.subarray(0, bytes.length - 1), 'truncated'],
    ['flipped', bytes => bytes.fill(bytes.at(-1)! ^ 1, bytes.length - 1), 'checksum'],
  ]

  it.each(spoilt)('because they are %s are a counted miss, and are replaced', async (_name, spoil, reason) => {
    const { a, b, source, store, until } = openFleet()
    const records = watch(b, 'decode-error', 'miss')
    await until(a.getOrSet('k', source.returns(10, 'text')))
    const { request } = store.calls.find(({ command }) => command === 'commit')!
    const bytes = spoil(Buffer.from((request as CommitRequest).bytes))
    store.script = ({ command, client }) => (command === 'read' && client === 1 ? answered(bytes) : undefined)
    expect(await until(b.get('k'))).toBeUndefined()
    expect(await until(b.has('k'))).toBe(false)
    await until(a.delete('k'))
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 2')
    expect(await a.get('k')).toBe('load 2')
    expect(records.map(record => ('reason' in record ? record.reason : record.outcome))).toEqual([
      reason,
      reason,
      reason,
      'loaded',
    ])
  })

  it('are not offered again by the acquire: the call names them as seen', async () => {
    const { a, b, source, store, until } = openFleet()
    await until(a.getOrSet('k', source.returns(10, 'text')))
    const { request } = store.calls.find(({ command }) => command === 'commit')!
    const bytes = Buffer.from((request as CommitRequest).bytes)
    bytes[bytes.length - 1]! ^= 1
    store.script = ({ command, client }) => (command === 'read' && client === 1 ? answered(bytes) : undefined)
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 2')
    expect(await a.get('k')).toBe('load 2')
  })

  it('may come from an acquire as well, and are asked for no second time', async () => {
    const { a, b, clock, source, store } = openFleet()
    await clock.runUntilSettled(a.getOrSet('k', source.returns(10, 'text')))
    const { request } = store.calls.find(({ command }) => command === 'commit')!
    const bytes = Buffer.from((request as CommitRequest).bytes)
    bytes[bytes.length - 1]! ^= 1
    store.script = ({ command, client }) => {
      if (client !== 1) return undefined
      if (command === 'read') return answered(null)
      return command === 'acquire' && store.count('acquire', 1) === 1 ? answered({ kind: 'value', bytes }) : undefined
    }
    const call = track(clock, b.getOrSet('k', source.takes(10)))
    await clock.advance(100)
    expect(call.value).toBe('load 2')
    expect(store.count('acquire', 1)).toBe(2)
  })
})
