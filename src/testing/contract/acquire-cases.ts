import assert from 'node:assert/strict'
import { offset } from '../../codec/header.ts'
import { longMs, shortMs, type Cases } from './stage.ts'

const key = { key: 'user:1', version: 0 }
const granted = { kind: 'granted' } as const

export const acquireCases: Cases = {
  'acquire: granted where nothing stands': async stage => {
    const client = await stage.open()
    assert.deepEqual(await stage.acquire(client, key), granted)
  },

  'acquire: granted to exactly one of many that ask at once': async stage => {
    const clients = [await stage.open(), await stage.open()]
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, index) => stage.acquire(clients[index % 2] ?? clients[0]!, key)),
    )
    assert.equal(replies.filter(reply => reply.kind === 'granted').length, 1)
    assert.equal(replies.filter(reply => reply.kind === 'busy').length, 39)
  },

  'acquire: a fresh value is the answer, also while another holds the lease': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key)
    assert.deepEqual(await stage.acquire(client, key), { kind: 'value', bytes })
    await stage.hold(client, key)
    assert.deepEqual(await stage.acquire(client, key, { wait: true }), { kind: 'value', bytes })
  },

  'acquire: a value that the caller has seen is no answer': async stage => {
    const client = await stage.open()
    const { bytes, token } = await stage.stored(client, key)
    assert.deepEqual(await stage.acquire(client, key, { seen: [stage.token()] }), { kind: 'value', bytes })
    assert.deepEqual(await stage.acquire(client, key, { seen: [stage.token(), token, stage.token()] }), granted)
  },

  'acquire: with seen "any" no value is an answer': async stage => {
    const client = await stage.open()
    await stage.stored(client, key)
    assert.deepEqual(await stage.acquire(client, key, { seen: 'any' }), granted)
  },

  'acquire: a stale value is no answer, nor is one marked expired': async stage => {
    const client = await stage.open()
    await stage.stored(client, key, { freshMs: -1000 })
    assert.equal(await stage.holder(client, key), undefined)
    assert.deepEqual(await stage.acquire(client, key), granted)
    const other = { key: 'user:2', version: 0 }
    await stage.stored(client, other)
    assert.equal(await stage.expire(client, other), true)
    assert.deepEqual(await stage.acquire(client, other), granted)
  },

  'acquire: freshness ends by the time of the store': async stage => {
    const client = await stage.open()
    await stage.stored(client, key, { freshMs: shortMs })
    await stage.eventually(async () => (await stage.acquire(client, key)).kind === 'granted', 'the value is stale')
    assert.notEqual(await stage.read(client, key), null)
  },

  'acquire: bytes that are no entry of this wire version are no answer': async stage => {
    const client = await stage.open()
    const whole = stage.entry(client, key, stage.token())
    const foreign = Buffer.from(whole).fill('XX', 0, 2)
    const later = Buffer.from(whole).fill(2, offset.version, offset.version + 1)
    for (const bytes of [foreign, later, whole.subarray(0, 75), Buffer.alloc(0), Buffer.from('text')]) {
      await stage.put(client, key, bytes)
      const token = stage.token()
      assert.deepEqual(await stage.acquire(client, key, { token }), granted)
      const busy = await stage.acquire(client, key)
      assert.equal(busy.kind === 'busy' ? busy.valueToken : busy, undefined)
      await stage.release(client, key, token)
    }
  },

  'acquire: busy says who holds the lease, for how long, and what value stands': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key, { leaseMs: 60_000 })
    const empty = await stage.acquire(client, key)
    assert.ok(empty.kind === 'busy' && empty.remainingMs > 0 && empty.remainingMs <= 60_000)
    assert.deepEqual({ holder: empty.holder, valueToken: empty.valueToken }, { holder: token, valueToken: undefined })

    const other = { key: 'user:2', version: 0 }
    for (const freshMs of [-1, longMs]) {
      const value = await stage.stored(client, other, { freshMs })
      const holder = await stage.hold(client, other)
      const busy = await stage.acquire(client, other, { seen: [value.token] })
      assert.ok(busy.kind === 'busy')
      assert.deepEqual({ holder: busy.holder, valueToken: busy.valueToken }, { holder, valueToken: value.token })
    }
  },

  'acquire: who waits for a lease does not lengthen it': async stage => {
    const client = await stage.open()
    await stage.hold(client, key, { leaseMs: 1000 })
    await stage.wait(client, key)
    const busy = await stage.acquire(client, key)
    assert.ok(busy.kind === 'busy' && busy.remainingMs <= 1000)
    await stage.eventually(async () => (await stage.acquire(client, key, { wait: true })).kind === 'granted', 'the lease ends')
  },

  'acquire: the same one, arriving twice, is granted twice': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    assert.deepEqual(await stage.acquire(client, key, { token }), granted)
    assert.equal(await stage.release(client, key, token), true)
    assert.equal(await stage.holder(client, key), undefined)
  },

  'acquire: replaces a dead token, whose commit, renewal and release then fail': async stage => {
    const client = await stage.open()
    const dead = await stage.hold(client, key)
    assert.equal((await stage.acquire(client, key, { dead: [stage.token()] })).kind, 'busy')
    const token = await stage.hold(client, key, { dead: [stage.token(), dead] })
    assert.equal(await stage.commit(client, key, dead, stage.entry(client, key, dead)), 'lost')
    assert.equal(await stage.renew(client, key, dead), false)
    assert.equal(await stage.release(client, key, dead), false)
    assert.equal(await stage.holder(client, key), token.toString('hex'))
    assert.equal(await stage.read(client, key), null)
  },

  'acquire: granted to the next when a lease has run out, and the first holder is fenced': async stage => {
    const client = await stage.open()
    const first = await stage.hold(client, key, { leaseMs: shortMs })
    const second = stage.token()
    await stage.eventually(async () => (await stage.acquire(client, key, { token: second })).kind === 'granted', 'the lease ends')
    assert.equal(await stage.commit(client, key, first, stage.entry(client, key, first)), 'lost')
    assert.equal(await stage.renew(client, key, first), false)
    assert.equal(await stage.release(client, key, first), false)
    assert.equal(await stage.commit(client, key, second, stage.entry(client, key, second)), 'stored')
    assert.equal(await stage.commit(client, key, first, stage.entry(client, key, first)), 'lost')
  },

  'acquire: after its deadline it changes nothing': async stage => {
    const client = await stage.open()
    const late = { kind: 'late' }
    assert.deepEqual(await stage.acquire(client, key, stage.past(client, key)), late)
    assert.equal(await stage.holder(client, key), undefined)
    const token = await stage.hold(client, key)
    assert.deepEqual(await stage.acquire(client, key, { ...stage.past(client, key), wait: true, dead: [token] }), late)
    assert.equal(await stage.holder(client, key), token.toString('hex'))
    await stage.release(client, key, token)
    await stage.heardAll(client)
    assert.deepEqual(client.wakes, [])
  },

  'acquire: cooling gives the code and the time left, until that has passed': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    await stage.release(client, key, token, { kind: 'cooldown', markerMs: 60_000, errorCode: 'ECONNRESET' })
    const reply = await stage.acquire(client, key, { wait: true })
    assert.ok(reply.kind === 'cooling' && reply.remainingMs > 0 && reply.remainingMs <= 60_000)
    assert.equal(reply.errorCode, 'ECONNRESET')
    const other = { key: 'user:2', version: 0 }
    const next = await stage.hold(client, other)
    await stage.release(client, other, next, { kind: 'cooldown', markerMs: shortMs, errorCode: '' })
    await stage.eventually(async () => (await stage.acquire(client, other)).kind === 'granted', 'the cooldown ends')
  },

  'acquire: a key marked "do not queue" has a holder, and nobody else waits for it': async stage => {
    const client = await stage.open()
    const first = await stage.hold(client, key)
    await stage.release(client, key, first, { kind: 'do-not-queue', markerMs: longMs })
    const second = await stage.hold(client, key)
    assert.deepEqual(await stage.acquire(client, key, { wait: true }), { kind: 'unqueued' })
    const third = await stage.hold(client, key, { dead: [second] })
    assert.deepEqual(await stage.acquire(client, key), { kind: 'unqueued' })
    assert.equal(await stage.renew(client, key, third), true)
    assert.deepEqual(await stage.acquire(client, key), { kind: 'unqueued' })
    assert.equal(await stage.release(client, key, third), true)
    await stage.hold(client, key)
    assert.equal((await stage.acquire(client, key)).kind, 'busy')
  },

  'acquire: a commit clears "do not queue"': async stage => {
    const client = await stage.open()
    const first = await stage.hold(client, key)
    await stage.release(client, key, first, { kind: 'do-not-queue', markerMs: longMs })
    const second = await stage.hold(client, key)
    assert.equal(await stage.commit(client, key, second, stage.entry(client, key, second)), 'stored')
    await stage.hold(client, key)
    assert.equal((await stage.acquire(client, key, { seen: [second] })).kind, 'busy')
  },
}
