import assert from 'node:assert/strict'
import { readRecord, type RecordFields } from '../../core/tags/namespace-record.ts'
import { longMs, patienceMs, type CaseBody, type Cases, type Stage } from './stage.ts'

const at = (version: number, key = 'user:1') => ({ key, version })
const key = at(0)

async function whileFull(stage: Stage, run: () => Promise<void>): Promise<void> {
  await stage.full.fill()
  try {
    await run()
  } finally {
    await stage.full.drain()
  }
}

const endsLeases: CaseBody = async stage => {
  const client = await stage.open()
  const keys = [at(0, 'a'), at(0, 'b'), at(0, 'c'), at(0, 'd')] as const
  const tokens = await Promise.all(keys.map(each => stage.hold(client, each)))
  await whileFull(stage, async () => {
    assert.equal(await stage.renew(client, keys[0], tokens[0] ?? assert.fail()), true)
    assert.equal(await stage.release(client, keys[0], tokens[0] ?? assert.fail()), true)
    const marker = { kind: 'cooldown', markerMs: longMs, errorCode: 'E' } as const
    assert.equal(await stage.release(client, keys[1], tokens[1] ?? assert.fail(), marker), true)
    await stage.remove(client, keys[2])
    await stage.expire(client, keys[3])
  })
  assert.equal(await stage.holder(client, keys[0]), undefined)
  assert.equal((await stage.acquire(client, keys[1])).kind, 'cooling')
  assert.equal(await stage.holder(client, keys[2]), undefined)
  assert.equal(await stage.holder(client, keys[3]), undefined)
}

/** What is promised of a store that is out of memory. */
export const fullCases: Cases = {
  'full: acquire says so and changes nothing': async stage => {
    const client = await stage.open()
    await whileFull(stage, async () => assert.deepEqual(await stage.acquire(client, key), { kind: 'full' }))
    assert.equal(await stage.holder(client, key), undefined)
  },

  'full: a fresh value is still answered, and a taken lease still busy': async stage => {
    const client = await stage.open()
    const { bytes } = await stage.stored(client, key)
    const token = await stage.hold(client, at(0, 'user:2'))
    await whileFull(stage, async () => {
      assert.deepEqual(await stage.read(client, key), bytes)
      assert.deepEqual(await stage.acquire(client, key), { kind: 'value', bytes })
      const busy = await stage.acquire(client, at(0, 'user:2'), { wait: true })
      assert.deepEqual(busy.kind === 'busy' && busy.holder, token)
    })
  },

  'full: commit stores nothing, ends the lease and wakes who waits': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    await stage.wait(client, key)
    const bytes = stage.entry(client, key, token)
    await whileFull(stage, async () => assert.equal(await stage.commit(client, key, token, bytes), 'full'))
    assert.equal(await stage.read(client, key), null)
    assert.equal(await stage.holder(client, key), undefined)
    await stage.heardAll(client)
    assert.deepEqual(client.wakes, [client.store.wakeId(key)])
  },

  'full: put stores nothing, and what stood there is gone, neighbouring versions included': async stage => {
    const client = await stage.open()
    await stage.stored(client, at(2))
    await stage.stored(client, at(0))
    const token = await stage.hold(client, at(1))
    const bytes = stage.entry(client, at(1), stage.token())
    await whileFull(stage, async () => assert.equal(await stage.put(client, at(1), bytes), 'full'))
    for (const version of [0, 1, 2]) assert.equal(await stage.read(client, at(version)), null)
    assert.equal(await stage.renew(client, at(1), token), false)
  },

  'full: tags and the whole namespace can be invalidated, and records made': async stage => {
    const client = await stage.open()
    const stamp = async (): Promise<RecordFields> =>
      readRecord(await client.store.stamp({ keepMs: longMs, timeoutMs: patienceMs }))
    await whileFull(stage, async () => {
      const made = await stamp()
      await client.store.bumpTags({ tags: ['a'], timeoutMs: patienceMs })
      const bumped = await stamp()
      assert.ok(bumped.sequence > made.sequence)
      assert.equal(await client.store.newestTag({ epoch: made.epoch, tags: ['a'], timeoutMs: patienceMs }), bumped.sequence)
      await client.store.clear(patienceMs)
      assert.equal((await stamp()).generation, made.generation + 1)
    })
  },

  'full: leases can be renewed and ended, and keys removed': endsLeases,
}
