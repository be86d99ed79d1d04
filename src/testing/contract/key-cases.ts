import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { EntryKey } from '../../core/ports.ts'
import type { Cases } from './stage.ts'

const long = 'x'.repeat(600)
const sha256 = (text: string, encoding: 'hex' | 'base64url') => createHash('sha256').update(text).digest(encoding)

/** Keys that a careless spelling would confuse with one another, or with the store's own. */
const oddKeys: readonly string[] = [
  ['a', 'A', ' a', 'a ', ':', '::', 'a:', ':a', 'a:b', 'a::b', 'a:b:c'],
  ['{}', '{', '}', '}{', '{a}', 'a{', '{}a', '{a}b', '[a]', '*', '?', 'a*', '\\', '\\a', '"', "'", '$', '`'],
  ['%', '%%', '%25', '%2525', '%3A', '%0D', '%h', '%u', '%uD83D', '%00'],
  ['\0', '\0a', 'a\0', 'a\0b', '\r\n', '\n', '\r', '\t', '\u001f', '\u007f', '\u0080', '\u009f', '\u2028', '\ufeff', '\ufffd'],
  ['é', 'e\u0301', '日本語', 'Å', '😀', '😁', '\ud83d', '\ude00', '\ud83da', 'a\ude00', '\ude00\ud83d', '\udbff\udfff'],
  ['v:', 'l:', 'v:a', 'l:a', 'v1:a', 'l1:a', 'v2:a', '0:a', '2:a', 'p0000', '{p0000}', 'n', 't'],
  ['__proto__', 'constructor', 'toString', 'null', 'undefined', '0', '-0', '1'],
  [long, `${long}x`, `a${long}`, `user:${long}`, `user:${long}x`, `team:${long}`, `${long}:user`],
  ['日'.repeat(300), '日'.repeat(301), '\n'.repeat(300), '%0A'.repeat(300)],
  [`%h${sha256(long, 'base64url')}`, `user:%h${sha256(`user:${long}`, 'base64url')}`, sha256(long, 'hex')],
].flat()

const versions = [0, 2, 20, 65_535]

function places(): EntryKey[] {
  return versions.flatMap(version => oddKeys.map(key => ({ key, version })))
}

export const keyCases: Cases = {
  'keys: no two keys, versions or namespaces share a value': async stage => {
    const clients = [await stage.open(), await stage.open('2'), await stage.open('.')]
    const stored: { bytes: Buffer; read: () => Promise<Buffer | null> }[] = []
    for (const [index, client] of clients.entries()) {
      await Promise.all(
        places().map(async place => {
          const bytes = Buffer.from(`${index}/${place.version}/${JSON.stringify(place.key)}`)
          assert.equal(await stage.put(client, place, bytes), 'stored')
          stored.push({ bytes, read: () => stage.read(client, place) })
        }),
      )
    }
    const read = await Promise.all(stored.map(each => each.read()))
    assert.deepEqual(
      read.map(bytes => bytes?.toString()),
      stored.map(({ bytes }) => bytes.toString()),
    )
  },

  'keys: no two keys or versions share a lease, and each holder commits its own': async stage => {
    const client = await stage.open()
    const held = await Promise.all(places().map(async place => ({ place, token: await stage.hold(client, place) })))
    const replies = await Promise.all(
      held.map(({ place, token }) => stage.commit(client, place, token, stage.entry(client, place, token))),
    )
    assert.deepEqual(new Set(replies), new Set(['stored']))
  },

  'keys: no two keys or versions share a wake-up, and each is named by its own': async stage => {
    const client = await stage.open()
    const wakeIds = places().map(place => client.store.wakeId(place))
    assert.equal(new Set(wakeIds).size, wakeIds.length)
    const held = await Promise.all(places().map(async place => ({ place, token: await stage.hold(client, place) })))
    await Promise.all(held.map(({ place }) => stage.wait(client, place)))
    await Promise.all(held.map(({ place, token }) => stage.release(client, place, token)))
    await stage.heardAll(client)
    assert.deepEqual(client.wakes.toSorted(), wakeIds.toSorted())
  },

  'keys: removing one leaves all others': async stage => {
    const client = await stage.open()
    await Promise.all(oddKeys.map(key => stage.put(client, { key, version: 0 }, Buffer.from('there'))))
    const [removed, kept] = [oddKeys.filter((_, index) => index % 2 === 0), oddKeys.filter((_, index) => index % 2 === 1)]
    await Promise.all(removed.map(key => stage.remove(client, { key, version: 0 })))
    const left = await Promise.all(oddKeys.map(async key => ({ key, bytes: await stage.read(client, { key, version: 0 }) })))
    assert.deepEqual(
      left.filter(({ bytes }) => bytes !== null).map(({ key }) => key),
      kept,
    )
    assert.equal(removed.length + kept.length, oddKeys.length)
  },
}
