import assert from 'node:assert/strict'
import { isLeaseholdError } from '../../core/errors.ts'
import { epochBytes, readRecord, recordBytes, type RecordFields } from '../../core/tags/namespace-record.ts'
import { mostTagsPerCommand } from '../../core/tags/tag-table.ts'
import { longMs, patienceMs, type Cases, type Client, type Stage } from './stage.ts'

const key = { key: 'user:1', version: 0 }
const oddTags = ['a', 'A', ' ', 'größe', '\0', '\r\n', '__proto__', 'a:b', '{t}', '*', 'x'.repeat(255)]

function stamp(client: Client, keepMs: number = longMs): Promise<Buffer> {
  return client.store.stamp({ keepMs, timeoutMs: patienceMs })
}

function bump(client: Client, ...tags: readonly string[]): Promise<void> {
  return client.store.bumpTags({ tags, timeoutMs: patienceMs })
}

async function newest(client: Client, ...tags: readonly string[]): Promise<number> {
  return newestUnder(readRecord(await stamp(client, 0)).epoch, client, ...tags)
}

function newestUnder(epoch: Buffer, client: Client, ...tags: readonly string[]): Promise<number> {
  return client.store.newestTag({ epoch, tags, timeoutMs: patienceMs })
}

/** The record that comes along with a read. */
async function recordRead(stage: Stage, client: Client): Promise<RecordFields | undefined> {
  await stage.read(client, key)
  const { namespaceRecord } = client.store
  return namespaceRecord === null ? undefined : readRecord(namespaceRecord)
}

async function known(stage: Stage, client: Client): Promise<RecordFields> {
  return (await recordRead(stage, client)) ?? assert.fail('no namespace record came along with a read')
}

/** What is asked of a store so that `invalidateTags` and `clear` hold. */
export const tagCases: Cases = {
  'stamp: makes the namespace record once, the same for every client': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    assert.equal(await recordRead(stage, one), undefined)
    const made = await stamp(one)
    assert.equal(made.length, recordBytes)
    assert.deepEqual(await stamp(two), made)
    assert.deepEqual(await stamp(one), made)
    assert.deepEqual(await known(stage, two), readRecord(made))
  },

  'stamp: namespaces have records of their own': async stage => {
    const [one, other] = [await stage.open(), await stage.open('-other')]
    const made = await stamp(one)
    assert.equal(await recordRead(stage, other), undefined)
    assert.notDeepEqual(readRecord(await stamp(other)).epoch, readRecord(made).epoch)
    await bump(other, 'a')
    await other.store.clear(patienceMs)
    assert.deepEqual(await known(stage, one), readRecord(made))
  },

  'stamp: a longer lifetime is remembered, a shorter one changes nothing': async stage => {
    const client = await stage.open()
    const made = readRecord(await stamp(client, 90_000))
    assert.equal(made.longestSeconds, 90)
    assert.deepEqual(readRecord(await stamp(client, 1_000)), made)
    assert.deepEqual(readRecord(await stamp(client, 90_001)), { ...made, longestSeconds: 91 })
    assert.equal((await known(stage, client)).longestSeconds, 91)
  },

  'record: comes along with every read, of one key or of many, present or not': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    await stamp(one)
    await stage.stored(one, key)
    for (let round = 0; round < 5; round++) {
      await bump(one, 'a')
      const { sequence } = readRecord(await stamp(one))
      await (round % 2 === 0 ? stage.read(two, key) : stage.read(two, { ...key, key: 'absent' }))
      assert.equal(readRecord(two.store.namespaceRecord ?? assert.fail()).sequence, sequence)
      await bump(one, 'a')
      const later = readRecord(await stamp(one))
      await (two.store.readMany?.([key, { ...key, key: 'absent' }], patienceMs) ?? stage.read(two, key))
      assert.equal(readRecord(two.store.namespaceRecord ?? assert.fail()).sequence, later.sequence)
    }
  },

  'record: comes along with every header that is read, present or not': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    if (two.store.readHeader === undefined) return
    await stamp(one)
    await stage.stored(one, key)
    for (let round = 0; round < 4; round++) {
      await bump(one, 'a')
      const { sequence } = readRecord(await stamp(one))
      await two.store.readHeader(round % 2 === 0 ? key : { ...key, key: 'absent' }, patienceMs)
      assert.equal(readRecord(two.store.namespaceRecord ?? assert.fail()).sequence, sequence)
    }
  },

  'record: shows what was invalidated before the read was asked for, by whichever client': async stage => {
    const [one, two] = [await stage.open(), await stage.open()]
    await stamp(one)
    for (let round = 1; round <= 20; round++) {
      const before = await known(stage, two)
      await (round % 2 === 0 ? bump(one, 'a') : one.store.clear(patienceMs))
      const after = await known(stage, two)
      assert.ok(round % 2 === 0 ? after.sequence > before.sequence : after.generation > before.generation)
      assert.deepEqual(after.epoch, before.epoch)
    }
  },

  'bumpTags: raises the sequence each time, and nothing else': async stage => {
    const client = await stage.open()
    let before = readRecord(await stamp(client))
    for (let round = 0; round < 10; round++) {
      await bump(client, 'a', 'b')
      const after = readRecord(await stamp(client))
      assert.ok(after.sequence > before.sequence)
      assert.deepEqual({ ...after, sequence: 0 }, { ...before, sequence: 0 })
      before = after
    }
  },

  'bumpTags: its tags are as new as the record then, and others no newer than they were': async stage => {
    const client = await stage.open()
    const first = readRecord(await stamp(client))
    assert.ok((await newest(client, 'a')) <= first.sequence)
    await bump(client, 'a', 'b')
    const second = readRecord(await stamp(client))
    await bump(client, 'c')
    const third = readRecord(await stamp(client))
    assert.equal(await newest(client, 'a'), second.sequence)
    assert.equal(await newest(client, 'b', 'x'), second.sequence)
    assert.equal(await newest(client, 'x', 'c', 'a'), third.sequence)
    assert.ok((await newest(client, 'x')) <= first.sequence)
    await bump(client, 'a')
    assert.equal(await newest(client, 'a'), readRecord(await stamp(client)).sequence)
  },

  'bumpTags: any text is a tag of its own': async stage => {
    const client = await stage.open()
    const { sequence } = readRecord(await stamp(client))
    for (const [index, tag] of oddTags.entries()) {
      assert.ok((await newest(client, ...oddTags.slice(index))) <= sequence, JSON.stringify(tag))
      await bump(client, tag)
      assert.ok((await newest(client, tag)) > sequence, JSON.stringify(tag))
    }
  },

  'bumpTags: as many as one command takes': async stage => {
    const client = await stage.open()
    const { sequence } = readRecord(await stamp(client))
    const tags = Array.from({ length: mostTagsPerCommand }, (_, index) => `tag-${index}-${'x'.repeat(100)}`)
    await bump(client, ...tags)
    const found = await Promise.all(tags.map(tag => newest(client, tag)))
    assert.ok(found.every(each => each > sequence))
    assert.ok((await newest(client, 'another')) <= sequence)
  },

  'bumpTags: without a record, the one that is made has an epoch of its own': async stage => {
    const client = await stage.open()
    await bump(client, 'a')
    const { sequence } = await known(stage, client)
    assert.ok((await newest(client, 'a')) <= sequence)
  },

  'bumpTags: what is older than the longest lifetime may be forgotten, and never looks younger than it was': async stage => {
    const client = await stage.open()
    const first = readRecord(await stamp(client, 0))
    await bump(client, 'a')
    const second = readRecord(await stamp(client, 0))
    await stage.pass(20)
    for (let round = 0; round < 3; round++) await bump(client, 'b')
    const last = readRecord(await stamp(client, 0))
    const found = await newest(client, 'a')
    assert.ok(first.sequence < second.sequence && found >= second.sequence && found < last.sequence)
    assert.equal(await newest(client, 'b'), last.sequence)
  },

  'newestTag: a table of another epoch says nothing': async stage => {
    const client = await stage.open()
    const { epoch } = readRecord(await stamp(client))
    const other = Buffer.from(epoch.map(byte => byte ^ 1))
    await bump(client, 'a')
    const found = await Promise.all([
      newestUnder(epoch, client, 'a'),
      newestUnder(other, client, 'a'),
      newestUnder(epoch, client, 'a'),
    ])
    assert.deepEqual(
      found.map(sequence => Number.isFinite(sequence)),
      [true, false, true],
    )
  },

  'newestTag: many askers in one tick, each answered with its own': async stage => {
    const client = await stage.open()
    await stamp(client)
    const sequences: number[] = []
    for (let index = 0; index < 10; index++) {
      await bump(client, `tag-${index}`)
      sequences.push(readRecord(await stamp(client)).sequence)
    }
    const found = await Promise.all(sequences.map((_, index) => newest(client, 'x', `tag-${index}`, `tag-${index >> 1}`)))
    assert.deepEqual(found, sequences)
  },

  'clear: raises the generation, and nothing else; tags are no newer than the record': async stage => {
    const client = await stage.open()
    await stamp(client)
    await bump(client, 'a')
    const before = readRecord(await stamp(client))
    await client.store.clear(patienceMs)
    const after = readRecord(await stamp(client))
    assert.deepEqual(after, { ...before, generation: before.generation + 1 })
    assert.ok((await newest(client, 'a')) <= after.sequence)
  },

  'clear: without a record, one is made': async stage => {
    const client = await stage.open()
    await client.store.clear(patienceMs)
    await known(stage, client)
  },

  'clear: leaves leases alone': async stage => {
    const client = await stage.open()
    const token = await stage.hold(client, key)
    await client.store.clear(patienceMs)
    assert.equal(await stage.holder(client, key), token.toString('hex'))
  },

  'close: refuses to stamp, to look up tags and to invalidate, saying that nothing was done': async stage => {
    const client = await stage.open()
    await client.store.close()
    for (const run of [
      () => stamp(client),
      () => newestUnder(Buffer.alloc(epochBytes), client, 'a'),
      () => bump(client, 'a'),
      () => client.store.clear(patienceMs),
    ]) {
      await assert.rejects(
        async () => run(),
        error => isLeaseholdError(error, 'STORE_UNAVAILABLE') && error.outcome === 'not-executed',
      )
    }
  },
}
