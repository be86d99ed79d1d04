import assert from 'node:assert/strict'
import type { EntryKey, Token } from '../../core/ports.ts'
import { longMs, type Cases, type Client, type Stage } from './stage.ts'

const at = (version: number, key = 'user:1'): EntryKey => ({ key, version })
const key = at(4)

/** Every way a lease can be ended. */
const endings: Readonly<Record<string, (stage: Stage, client: Client, token: Token) => Promise<unknown>>> = {
  commit: (stage, client, token) => stage.commit(client, key, token, stage.entry(client, key, token)),
  release: (stage, client, token) => stage.release(client, key, token),
  'release, leaving "do not queue"': (stage, client, token) =>
    stage.release(client, key, token, { kind: 'do-not-queue', markerMs: longMs }),
  'release, leaving a cooldown': (stage, client, token) =>
    stage.release(client, key, token, { kind: 'cooldown', markerMs: longMs, errorCode: 'E' }),
  put: (stage, client) => stage.stored(client, key),
  remove: (stage, client) => stage.remove(client, key),
  expire: (stage, client) => stage.expire(client, key),
}

function endingCases(): Cases {
  const cases: Record<string, Cases[string]> = {}
  for (const [name, end] of Object.entries(endings)) {
    cases[`wake: ${name} tells every client of the namespace, once, when someone waits`] = async stage => {
      const [one, two, foreign] = [await stage.open(), await stage.open(), await stage.open('-other')]
      const token = await stage.hold(one, key)
      await stage.wait(two, key)
      await stage.wait(one, key)
      assert.equal(await stage.renew(one, key, token), true)
      await end(stage, one, token)
      for (const client of [one, two]) {
        await stage.heardAll(client)
        assert.deepEqual(heardOf(client, key), [client.store.wakeId(key)])
      }
      await stage.heardAll(foreign)
      assert.deepEqual(foreign.wakes, [])
    }
    cases[`wake: ${name} is silent when nobody waits`] = async stage => {
      const client = await stage.open()
      const token = await stage.hold(client, key)
      assert.equal((await stage.acquire(client, key, { seen: 'any', wait: false })).kind, 'busy')
      await end(stage, client, token)
      await stage.heardAll(client)
      assert.deepEqual(client.wakes, [])
    }
  }
  return cases
}

/** Two clients of one namespace hear each other's probes; those are not what a case is about. */
function heardOf(client: Client, ...keys: readonly EntryKey[]): string[] {
  const wanted = new Set(keys.map(each => client.store.wakeId(each)))
  return client.wakes.filter(wakeId => wanted.has(wakeId)).toSorted()
}

export const wakeCases: Cases = {
  ...endingCases(),

  'wake: put, remove and expire also wake who waits for a neighbouring version': async stage => {
    const client = await stage.open()
    for (const end of ['put', 'remove', 'expire'] as const) {
      for (const version of [3, 5]) {
        await stage.hold(client, at(version))
        await stage.wait(client, at(version))
      }
      await endings[end]?.(stage, client, stage.token())
      await stage.heardAll(client)
      assert.deepEqual(heardOf(client, at(3), at(5)), [client.store.wakeId(at(3)), client.store.wakeId(at(5))], end)
      client.wakes.length = 0
    }
  },

  'wake: a lease that is ended without anyone waiting is silent, though there was a waiter before': async stage => {
    const client = await stage.open()
    const first = await stage.hold(client, key)
    await stage.wait(client, key)
    await stage.release(client, key, first)
    await stage.heardAll(client)
    client.wakes.length = 0
    const second = await stage.hold(client, key)
    await stage.release(client, key, second)
    await stage.heardAll(client)
    assert.deepEqual(client.wakes, [])
  },

  'wake: who waits for a dead holder is woken by its successor': async stage => {
    const client = await stage.open()
    const dead = await stage.hold(client, key)
    await stage.wait(client, key)
    const token = await stage.hold(client, key, { dead: [dead] })
    await stage.heardAll(client)
    assert.deepEqual(client.wakes, [])
    await stage.release(client, key, token)
    await stage.heardAll(client)
    assert.deepEqual(client.wakes, [client.store.wakeId(key)])
  },

  'wake: who was told not to queue does not wait': async stage => {
    const client = await stage.open()
    const first = await stage.hold(client, key)
    await stage.release(client, key, first, { kind: 'do-not-queue', markerMs: longMs })
    const second = await stage.hold(client, key)
    assert.equal((await stage.acquire(client, key, { wait: true })).kind, 'unqueued')
    await stage.release(client, key, second)
    await stage.heardAll(client)
    assert.deepEqual(client.wakes, [])
  },

  'wake: a commit that is lost or late is silent': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    await stage.wait(client, key)
    const stranger = stage.token()
    const bytes = stage.entry(client, key, stranger)
    assert.equal(await stage.commit(client, key, stranger, bytes), 'lost')
    assert.equal(await client.store.commit({ ...key, ...stage.past(client, key), token, bytes, keepMs: longMs }), 'late')
    assert.equal(await client.store.put({ ...key, ...stage.past(client, key), bytes, keepMs: longMs }), 'late')
    await stage.heardAll(client)
    assert.deepEqual(client.wakes, [])
  },

  'wake: a client that has closed hears nothing more': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    const token = await stage.hold(one, key)
    await stage.wait(two, key)
    await two.store.close()
    await stage.release(one, key, token)
    await stage.heardAll(one)
    assert.deepEqual(heardOf(two, key), [])
  },
}
