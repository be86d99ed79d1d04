import assert from 'node:assert/strict'
import type { EntryKey } from '../../core/ports.ts'
import { longMs, shortMs, type CaseBody, type Cases, type Client, type Stage } from './stage.ts'

const at = (version: number, key = 'user:1'): EntryKey => ({ key, version })
const key = at(0)

type Write = (stage: Stage, client: Client, key: EntryKey) => Promise<unknown>
const put: Write = (stage, client, target) => stage.stored(client, target)
const remove: Write = (stage, client, target) => stage.remove(client, target)
const expire: Write = (stage, client, target) => stage.expire(client, target)

/** What put, remove and expire have in common: what was under way when they came cannot land. */
function revoking(name: string, write: Write): Cases {
  const revokes: CaseBody = async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    await write(stage, client, key)
    const after = await stage.read(client, key)
    assert.equal(await stage.renew(client, key, token), false)
    assert.equal(await stage.commit(client, key, token, stage.entry(client, key, token)), 'lost')
    assert.equal(await stage.release(client, key, token, { kind: 'cooldown', markerMs: longMs, errorCode: 'E' }), false)
    assert.deepEqual(await stage.read(client, key), after)
    assert.equal(await stage.holder(client, key), undefined)
  }
  const clears: CaseBody = async stage => {
    const client = await stage.open()
    for (const marker of [
      { kind: 'cooldown', markerMs: longMs, errorCode: 'E' },
      { kind: 'do-not-queue', markerMs: longMs },
    ] as const) {
      const token = await stage.hold(client, key)
      await stage.release(client, key, token, marker)
      await write(stage, client, key)
      const holder = await stage.hold(client, key)
      assert.equal((await stage.acquire(client, key, { seen: 'any' })).kind, 'busy')
      await stage.release(client, key, holder)
    }
  }
  const neighbours: CaseBody = async stage => {
    const client = await stage.open()
    const tokens = new Map<number, Buffer>()
    for (const version of [2, 3, 5, 6]) tokens.set(version, await stage.hold(client, at(version)))
    await write(stage, client, at(4))
    for (const version of [3, 5]) {
      const token = tokens.get(version) ?? assert.fail()
      assert.equal(await stage.commit(client, at(version), token, stage.entry(client, at(version), token)), 'lost')
    }
    for (const version of [2, 6]) assert.equal(await stage.holder(client, at(version)), tokens.get(version)?.toString('hex'))
  }
  const others: CaseBody = async stage => {
    const [client, foreign] = [await stage.open(), await stage.open('-other')]
    const near = [at(0, 'user:'), at(0, 'user:11'), at(0, 'user'), at(0, 'USER:1'), at(2)]
    const bytes = await Promise.all(near.map(async each => (await stage.stored(client, each)).bytes))
    const elsewhere = await stage.stored(foreign, key)
    const token = await stage.hold(foreign, key)
    await write(stage, client, key)
    assert.deepEqual(await Promise.all(near.map(each => stage.read(client, each))), bytes)
    assert.deepEqual(await stage.read(foreign, key), elsewhere.bytes)
    assert.equal(await stage.holder(foreign, key), token.toString('hex'))
  }
  return {
    [`${name}: revokes a lease, whose holder can then change nothing`]: revokes,
    [`${name}: clears markers`]: clears,
    [`${name}: revokes the leases of the neighbouring versions, and no others`]: neighbours,
    [`${name}: leaves other keys, versions and namespaces alone`]: others,
  }
}

export const writeCases: Cases = {
  'put: stores the bytes in place of what stood there': async stage => {
    const client = await stage.open()
    await stage.stored(client, key, { payload: 'old' })
    const { bytes } = await stage.stored(client, key, { payload: 'new' })
    assert.deepEqual(await stage.read(client, key), bytes)
    assert.deepEqual(await stage.acquire(client, key), { kind: 'value', bytes })
  },

  'put: the new entry is kept for its own time, not for that of the old one': async stage => {
    const client = await stage.open()
    await stage.stored(client, key, {}, shortMs)
    const { bytes } = await stage.stored(client, key, {}, longMs)
    await stage.stored(client, at(0, 'user:2'), {}, longMs)
    await stage.stored(client, at(0, 'user:2'), {}, shortMs)
    await stage.eventually(async () => (await stage.read(client, at(0, 'user:2'))) === null, 'the entry is gone')
    assert.deepEqual(await stage.read(client, key), bytes)
  },

  'put: removes what neighbouring versions hold, and no other version': async stage => {
    const client = await stage.open()
    for (const version of [1, 3, 5, 7]) await stage.stored(client, at(version))
    await stage.stored(client, at(4))
    const left = await Promise.all([1, 3, 4, 5, 7].map(async version => (await stage.read(client, at(version))) !== null))
    assert.deepEqual(left, [true, false, true, false, true])
  },

  'put: after its deadline it changes nothing': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, at(3))
    const token = await stage.hold(client, at(4))
    const late = { ...stage.past(client, key), bytes: stage.entry(client, key, stage.token()), keepMs: longMs }
    assert.equal(await client.store.put({ ...at(4), ...late }), 'late')
    assert.equal(await stage.read(client, at(4)), null)
    assert.deepEqual(await stage.read(client, at(3)), bytes)
    assert.equal(await stage.holder(client, at(4)), token.toString('hex'))
  },

  ...revoking('put', put),

  'remove: removes the value, those of neighbouring versions included, and no other version': async stage => {
    const client = await stage.open()
    for (const version of [2, 4, 6]) await stage.stored(client, at(version))
    await stage.stored(client, at(0))
    await stage.remove(client, at(3))
    assert.equal(await stage.read(client, at(2)), null)
    assert.equal(await stage.read(client, at(4)), null)
    await stage.remove(client, at(6))
    assert.equal(await stage.read(client, at(6)), null)
    assert.notEqual(await stage.read(client, at(0)), null)
    await stage.remove(client, at(0))
    assert.equal(await stage.read(client, at(0)), null)
  },

  'remove: nothing to remove is no failure': async stage => {
    const client = await stage.open()
    assert.equal(await stage.remove(client, key), undefined)
  },

  ...revoking('remove', remove),

  'expire: says whether there was an entry': async stage => {
    const client = await stage.open()
    assert.equal(await stage.expire(client, key), false)
    await stage.stored(client, at(1))
    assert.equal(await stage.expire(client, key), false)
    await stage.stored(client, key)
    assert.equal(await stage.expire(client, key), true)
    assert.equal(await stage.expire(client, key), true)
  },

  'expire: marks the entry in one byte and keeps the rest': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key)
    await stage.expire(client, key)
    const marked = Buffer.from(bytes)
    marked[3] = 0xff
    assert.deepEqual(await stage.read(client, key), marked)
    assert.equal((await stage.acquire(client, key)).kind, 'granted')
  },

  'expire: marks the entries of neighbouring versions, and no other version': async stage => {
    const client = await stage.open()
    for (const version of [2, 4, 6]) await stage.stored(client, at(version))
    await stage.expire(client, at(3))
    await stage.expire(client, at(5))
    await stage.stored(client, at(8))
    const marks = await Promise.all([2, 4, 6, 8].map(async version => (await stage.read(client, at(version)))?.[3]))
    assert.deepEqual(marks, [0xff, 0xff, 0xff, 0])
  },

  'expire: the time an entry is kept goes on as before': async stage => {
    const client = await stage.open()
    await stage.stored(client, key, {}, shortMs)
    await stage.stored(client, at(0, 'user:2'))
    await stage.expire(client, key)
    await stage.expire(client, at(0, 'user:2'))
    await stage.eventually(async () => (await stage.read(client, key)) === null, 'the entry is gone')
    assert.notEqual(await stage.read(client, at(0, 'user:2')), null)
  },

  'expire: leaves bytes that are no entry as they are': async stage => {
    const client = await stage.open()
    for (const text of ['', 'LH', 'x'.repeat(200)]) {
      await stage.put(client, key, Buffer.from(text))
      assert.equal(await stage.expire(client, key), false)
      assert.equal((await stage.read(client, key))?.toString(), text)
    }
  },

  ...revoking('expire', expire),
}
