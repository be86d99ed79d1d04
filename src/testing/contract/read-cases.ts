import assert from 'node:assert/strict'
import { headerBytes, mark, offset } from '../../codec/header.ts'
import { isLeaseholdError } from '../../core/errors.ts'
import { longMs, patienceMs, shortMs, type Cases } from './stage.ts'

const key = { key: 'user:1', version: 0 }

export const readCases: Cases = {
  'read: null for a key that was never stored': async stage => {
    const client = await stage.open()
    assert.equal(await stage.read(client, key), null)
  },

  'read: the bytes as they were stored, whatever they are': async stage => {
    const client = await stage.open()
    for (const bytes of [
      Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      Buffer.from('\r\n$-1\r\n'),
      Buffer.alloc(300_000, 7),
    ]) {
      assert.equal(await stage.put(client, key, bytes), 'stored')
      assert.deepEqual(await stage.read(client, key), bytes)
    }
  },

  'read: many in one tick, each answered with its own, present or not, asked for once or twice': async stage => {
    const client = await stage.open()
    const keys = Array.from({ length: 60 }, (_, index) => ({ key: `user:${index % 50}`, version: index % 3 === 0 ? 2 : 0 }))
    const stored = new Map<string, string>()
    for (const each of keys.filter((_, index) => index % 4 !== 0)) {
      const payload = `${each.version}/${each.key}`
      await stage.put(client, each, Buffer.from(payload))
      stored.set(payload, payload)
    }
    const read = await Promise.all(keys.map(each => stage.read(client, each)))
    assert.deepEqual(
      read.map(bytes => bytes?.toString()),
      keys.map(each => stored.get(`${each.version}/${each.key}`)),
    )
  },

  'readMany: each key has its own, in their order, present or not, of any version, asked for once or twice': async stage => {
    const client = await stage.open()
    const keys = Array.from({ length: 1_300 }, (_, index) => ({ key: `user:${index % 700}`, version: index % 3 === 0 ? 2 : 0 }))
    const stored = new Map<string, string>()
    for (const each of keys.filter((_, index) => index % 40 === 0)) {
      const payload = `${each.version}/${each.key}`
      await stage.put(client, each, Buffer.from(payload))
      stored.set(payload, payload)
    }
    const read =
      (await client.store.readMany?.(keys, patienceMs)) ?? (await Promise.all(keys.map(each => stage.read(client, each))))
    assert.deepEqual(
      read.map(bytes => bytes?.toString()),
      keys.map(each => stored.get(`${each.version}/${each.key}`)),
    )
  },

  'readMany: sees every write acknowledged before it was asked for': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    for (let round = 0; round < 5; round++) {
      await stage.put(one, key, Buffer.from(`round ${round}`))
      const [bytes] = (await two.store.readMany?.([key], patienceMs)) ?? [await stage.read(two, key)]
      assert.equal(bytes?.toString(), `round ${round}`)
    }
  },

  'read: sees every write acknowledged before it was asked for, by whichever client': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    for (let round = 0; round < 20; round++) {
      await stage.put(one, key, Buffer.from(`round ${round}`))
      assert.equal((await stage.read(two, key))?.toString(), `round ${round}`)
      await stage.remove(two, key)
      assert.equal(await stage.read(one, key), null)
    }
  },

  'readHeader: the first 76 bytes of what read would bring, all of it when there are fewer, null when there is nothing':
    async stage => {
      const client = await stage.open()
      if (client.store.readHeader === undefined) return
      const { bytes } = await stage.stored(client, key, { payload: 'x'.repeat(50_000) })
      await stage.put(client, { ...key, key: 'short' }, Buffer.from('short'))
      const read = (name: string, version = 0): Promise<Buffer | null | undefined> =>
        client.store.readHeader?.({ key: name, version }, patienceMs) ?? Promise.resolve(undefined)
      const asked = [read(key.key), read('short'), read('absent'), read(key.key, 1), read(key.key)]
      assert.deepEqual(await Promise.all(asked), [
        bytes.subarray(0, headerBytes),
        Buffer.from('short'),
        null,
        null,
        bytes.subarray(0, headerBytes),
      ])
    },

  'readHeader: sees every write acknowledged before it was asked for, by whichever client': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    if (two.store.readHeader === undefined) return
    for (let round = 0; round < 10; round++) {
      const { bytes } = await stage.stored(one, key, { payload: `round ${round}`.repeat(1_000) })
      assert.deepEqual(await two.store.readHeader(key, patienceMs), bytes.subarray(0, headerBytes))
      await stage.expire(one, key)
      assert.equal((await two.store.readHeader(key, patienceMs))?.[offset.mark], mark.expired)
      await stage.remove(one, key)
      assert.equal(await two.store.readHeader(key, patienceMs), null)
    }
  },

  'read: what was returned does not change when the stored value does': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key)
    const read = await stage.read(client, key)
    await stage.expire(client, key)
    assert.deepEqual(read, bytes)
    await stage.stored(client, key, { payload: 'another' })
    await stage.remove(client, key)
    assert.deepEqual(read, bytes)
  },

  'read: who changes what it got, or what it gave, changes nothing for others': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key)
    const given = Buffer.from(bytes)
    bytes.fill(0)
    const read = await stage.read(client, key)
    assert.deepEqual(read, given)
    read?.fill(1)
    const reply = await stage.acquire(client, key)
    assert.deepEqual(reply, { kind: 'value', bytes: given })
    if (reply.kind === 'value') reply.bytes.fill(2)
    assert.deepEqual(await stage.read(client, key), given)
  },

  'read: null once the time an entry is kept has passed': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key, {}, longMs)
    await stage.stored(client, { ...key, key: 'user:2' }, {}, shortMs)
    await stage.eventually(async () => (await stage.read(client, { ...key, key: 'user:2' })) === null, 'the entry is gone')
    assert.deepEqual(await stage.read(client, key), bytes)
  },

  'time: a deadline is never later than the moment of giving up': async stage => {
    const client = await stage.open()
    await client.store.ready(key, patienceMs)
    const before = client.store.now(key)
    const notAfter = client.store.notAfter(key, 500)
    const after = client.store.now(key)
    assert.ok(notAfter <= after + 500 && notAfter > before - patienceMs, `${notAfter} is no deadline for ${before} + 500`)
  },

  'close: refuses everything from then on, saying that nothing was done; other clients go on': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    const { bytes, token } = await stage.stored(one, key)
    await one.store.close()
    await one.store.close()
    const refused = [
      () => stage.read(one, key),
      () => stage.acquire(one, key, { notAfter: longMs }),
      () => stage.renew(one, key, token),
      () => one.store.commit({ ...key, token, bytes, keepMs: longMs, timeoutMs: patienceMs, notAfter: longMs }),
      () => stage.release(one, key, token),
      () => one.store.put({ ...key, bytes, keepMs: longMs, timeoutMs: patienceMs, notAfter: longMs }),
      () => stage.remove(one, key),
      () => stage.expire(one, key),
    ]
    for (const run of refused) {
      await assert.rejects(
        async () => run(),
        error => isLeaseholdError(error, 'STORE_UNAVAILABLE') && error.outcome === 'not-executed',
      )
    }
    assert.deepEqual(await stage.read(two, key), bytes)
  },
}
