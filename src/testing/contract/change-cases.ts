import assert from 'node:assert/strict'
import type { Change, EntryKey } from '../../core/ports.ts'
import type { Cases, Stage, WatchingClient } from './stage.ts'

const key: EntryKey = { key: 'user:1', version: 4 }
const neighbour: EntryKey = { key: 'user:1', version: 5 }

/** The changes told of since the last look, up to the next pulse. */
async function told(stage: Stage, client: WatchingClient): Promise<Change[]> {
  const { changes, store } = client
  await stage.eventually(async () => {
    await store.pulse?.(stage.patienceMs)
    return changes.at(-1)?.kind === 'pulse'
  }, 'a pulse is heard')
  return changes.splice(0).filter(({ kind }) => kind !== 'pulse')
}

const tokensOf = (changes: readonly Change[], wakeId: string): (string | undefined)[] =>
  changes.flatMap(change => (change.kind === 'key' && change.wakeId === wakeId ? [change.token?.toString('hex')] : []))

/** For stores whose clients may be told of changes. */
export const changeCases: Cases = {
  'changes: what stands at a key now is told by its token, to every client that listens': async stage => {
    const [one, two] = [await stage.watch(), await stage.watch()]
    const wakeId = one.store.wakeId(key)
    const { token: put } = await stage.stored(one, key)
    const committed = await stage.hold(two, key)
    await stage.commit(two, key, committed, stage.entry(two, key, committed))
    for (const client of [one, two]) {
      assert.deepEqual(tokensOf(await told(stage, client), wakeId), [put.toString('hex'), committed.toString('hex')])
    }
  },

  'changes: what is expired or removed is told without a token, neighbouring versions included': async stage => {
    const client = await stage.watch()
    await stage.stored(client, key)
    await told(stage, client)
    await stage.expire(client, key)
    await stage.remove(client, key)
    const changes = await told(stage, client)
    assert.deepEqual(tokensOf(changes, client.store.wakeId(key)), [undefined, undefined])
    assert.deepEqual(tokensOf(changes, client.store.wakeId(neighbour)), [undefined, undefined])
  },

  'changes: a put tells that neighbouring versions are gone': async stage => {
    const client = await stage.watch()
    await stage.stored(client, key)
    assert.deepEqual(tokensOf(await told(stage, client), client.store.wakeId(neighbour)), [undefined])
  },

  'changes: tags that are invalidated are told by name, and a clear as such': async stage => {
    const client = await stage.watch()
    const { store } = client
    await store.stamp({ keepMs: 1_000, timeoutMs: stage.patienceMs })
    await told(stage, client)
    await store.bumpTags({ tags: ['red', 'größe'], timeoutMs: stage.patienceMs })
    await store.clear(stage.patienceMs)
    const changes = await told(stage, client)
    const [first, second] = changes
    assert.deepEqual(first?.kind === 'tags' ? first.tags : first, ['red', 'größe'])
    assert.equal(second?.kind, 'clear')
  },

  'changes: a command that is refused tells nothing': async stage => {
    const client = await stage.watch()
    const token = await stage.hold(client, key)
    const bytes = stage.entry(client, key, token)
    const late = { ...key, ...stage.past(client, key), bytes, keepMs: 60_000 }
    assert.equal(await client.store.commit({ ...late, token }), 'late')
    assert.equal(await client.store.put(late), 'late')
    assert.equal(await stage.commit(client, key, stage.token(), bytes), 'lost')
    assert.deepEqual(await told(stage, client), [])
  },

  'changes: their numbers go up by one, and a pulse repeats the last': async stage => {
    const client = await stage.watch()
    await told(stage, client)
    await stage.stored(client, key)
    await stage.remove(client, key)
    await stage.eventually(async () => {
      await client.store.pulse?.(stage.patienceMs)
      return client.changes.at(-1)?.kind === 'pulse'
    }, 'a pulse is heard')
    const numbers = client.changes.map(({ sequence }) => sequence)
    const first = numbers[0] ?? NaN
    const expected = client.changes.map((_, at) => first + Math.min(at, client.changes.length - 2))
    assert.deepEqual(numbers, expected)
  },

  'changes: a pulse carries the server time at which it was sent': async stage => {
    const client = await stage.watch()
    const before = client.store.now(key)
    await stage.eventually(async () => {
      await client.store.pulse?.(stage.patienceMs)
      return client.changes.length > 0
    }, 'a pulse is heard')
    const [pulse] = client.changes
    assert.ok(pulse?.kind === 'pulse')
    const toleranceMs = 1_000
    assert.ok(pulse.sentAt >= before - toleranceMs && pulse.sentAt <= client.store.now(key) + toleranceMs, String(pulse.sentAt))
  },

  'changes: a client that has closed is told nothing more': async stage => {
    const [one, two] = [await stage.watch(), await stage.watch()]
    await two.store.close()
    two.changes.length = 0
    await stage.stored(one, key)
    assert.equal((await told(stage, one)).length > 0, true)
    assert.deepEqual(two.changes, [])
  },
}
