import assert from 'node:assert/strict'
import { longMs, shortMs, type Cases } from './stage.ts'

const key = { key: 'user:1', version: 0 }
const next = { key: 'user:2', version: 0 }

export const leaseCases: Cases = {
  'renew: the holder keeps the lease beyond its first end': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key, { leaseMs: 1000 })
    const short = await stage.hold(client, next, { leaseMs: 1000 })
    assert.equal(await stage.renew(client, key, token), true)
    await stage.eventually(async () => !(await stage.renew(client, next, short, 1)), 'a lease that is cut short ends')
    await stage.pass(1000)
    assert.equal(await stage.holder(client, key), token.toString('hex'))
  },

  'renew: not for a stranger, and not where no lease is; neither changes anything': async stage => {
    const client = await stage.open()
    assert.equal(await stage.renew(client, key, stage.token()), false)
    assert.equal(await stage.holder(client, key), undefined)
    await stage.hold(client, key, { leaseMs: shortMs })
    assert.equal(await stage.renew(client, key, stage.token()), false)
    await stage.eventually(async () => (await stage.holder(client, key)) === undefined, 'the lease ends in its own time')
  },

  'renew: a lease that has run out stays ended': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key, { leaseMs: shortMs })
    await stage.eventually(async () => (await stage.holder(client, key)) === undefined, 'the lease ends')
    assert.equal(await stage.renew(client, key, token), false)
    assert.equal(await stage.holder(client, key), undefined)
  },

  'commit: stores the bytes and ends the lease': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    const bytes = stage.entry(client, key, token)
    assert.equal(await stage.commit(client, key, token, bytes), 'stored')
    assert.deepEqual(await stage.read(client, key), bytes)
    assert.equal(await stage.holder(client, key), undefined)
  },

  'commit: replaces what stood there': async stage => {
    const client = await stage.open()
    await stage.stored(client, key, { payload: 'old' })
    const token = await stage.hold(client, key)
    const bytes = stage.entry(client, key, token, { payload: 'new' })
    assert.equal(await stage.commit(client, key, token, bytes), 'stored')
    assert.deepEqual(await stage.read(client, key), bytes)
  },

  'commit: the entry is gone once the time to keep it has passed': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    assert.equal(await stage.commit(client, key, token, stage.entry(client, key, token), shortMs), 'stored')
    await stage.eventually(async () => (await stage.read(client, key)) === null, 'the entry is gone')
  },

  'commit: lost without the lease, and nothing changes': async stage => {
    const client = await stage.open()
    const stranger = stage.token()
    assert.equal(await stage.commit(client, key, stranger, stage.entry(client, key, stranger)), 'lost')
    assert.equal(await stage.read(client, key), null)
    const { bytes } = await stage.stored(client, key, { freshMs: -1000 })
    const token = await stage.hold(client, key)
    assert.equal(await stage.commit(client, key, stranger, stage.entry(client, key, stranger)), 'lost')
    assert.deepEqual(await stage.read(client, key), bytes)
    assert.equal(await stage.holder(client, key), token.toString('hex'))
  },

  'commit: repeated after it landed it is stored again in word only': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    const bytes = stage.entry(client, key, token)
    assert.equal(await stage.commit(client, key, token, bytes), 'stored')
    const holder = await stage.hold(client, key)
    const repeated = stage.entry(client, key, token, { payload: 'repeated' })
    assert.equal(await stage.commit(client, key, token, repeated), 'stored')
    assert.deepEqual(await stage.read(client, key), bytes)
    assert.equal(await stage.holder(client, key), holder.toString('hex'))
  },

  'commit: repeated after it landed and was removed or replaced, it is lost': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    const bytes = stage.entry(client, key, token)
    assert.equal(await stage.commit(client, key, token, bytes), 'stored')
    await stage.remove(client, key)
    assert.equal(await stage.commit(client, key, token, bytes), 'lost')
    assert.equal(await stage.read(client, key), null)
    const newer = await stage.stored(client, key)
    assert.equal(await stage.commit(client, key, token, bytes), 'lost')
    assert.deepEqual(await stage.read(client, key), newer.bytes)
  },

  'commit: after its deadline it changes nothing': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key, { freshMs: -1000 })
    const token = await stage.hold(client, key)
    const newer = stage.entry(client, key, token)
    const late = { ...key, ...stage.past(client, key), token, bytes: newer, keepMs: longMs }
    assert.equal(await client.store.commit(late), 'late')
    assert.deepEqual(await stage.read(client, key), bytes)
    assert.equal(await stage.holder(client, key), token.toString('hex'))
    assert.equal(await stage.commit(client, key, token, newer), 'stored')
  },

  'release: ends the lease, once': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    assert.equal(await stage.release(client, key, token), true)
    assert.equal(await stage.holder(client, key), undefined)
    assert.equal(await stage.release(client, key, token), false)
  },

  'release: by a stranger it does nothing, whatever marker it brings': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key, { freshMs: -1000 })
    const markers = [
      { kind: 'none' },
      { kind: 'do-not-queue', markerMs: longMs },
      { kind: 'cooldown', markerMs: longMs, errorCode: 'E' },
    ] as const
    for (const marker of markers) assert.equal(await stage.release(client, key, stage.token(), marker), false)
    const token = await stage.hold(client, key)
    await stage.wait(client, key)
    for (const marker of markers) assert.equal(await stage.release(client, key, stage.token(), marker), false)
    assert.equal(await stage.holder(client, key), token.toString('hex'))
    assert.deepEqual(await stage.read(client, key), bytes)
    await stage.heardAll(client)
    assert.deepEqual(client.wakes, [])
  },

  'release: not after the lease has run out': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key, { leaseMs: shortMs })
    await stage.eventually(async () => (await stage.holder(client, key)) === undefined, 'the lease ends')
    assert.equal(await stage.release(client, key, token, { kind: 'cooldown', markerMs: longMs, errorCode: 'E' }), false)
    assert.equal((await stage.acquire(client, key)).kind, 'granted')
  },

  'release: leaves the value as it is': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key)
    const token = await stage.hold(client, key)
    await stage.release(client, key, token, { kind: 'cooldown', markerMs: longMs, errorCode: 'E' })
    assert.deepEqual(await stage.read(client, key), bytes)
    assert.deepEqual(await stage.acquire(client, key), { kind: 'value', bytes })
  },

  'release: markers end in their own time': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    await stage.release(client, key, token, { kind: 'do-not-queue', markerMs: shortMs })
    await stage.pass(shortMs + 50)
    await stage.hold(client, key)
    assert.equal((await stage.acquire(client, key)).kind, 'busy')
  },
}
