import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Cache } from '../../../src/core/cache.ts'
import { openFleet, sleep, watch } from '../engine/stage.ts'

/** Old code knows a user's name; new code its first and last. */
function openDeploy(options: Parameters<typeof openFleet>[0] = {}) {
  const fleet = openFleet({ ttl: '1h', ...options })
  const loads: string[] = []
  const key = (id: string): { id: string } => ({ id })
  const old = (cache: Cache) =>
    cache.define('user', {
      key,
      load: async id => {
        loads.push(`v1 ${id}`)
        await sleep(fleet.clock, 10)
        return { name: `Ada of ${id}` }
      },
      version: 1,
    })
  const split = (stored: unknown, from: number): { first: string; last: string } | undefined => {
    const name = (stored as { name?: unknown }).name
    if (typeof name !== 'string' || from !== 1) throw new Error('no user of version 1')
    const [first = '', ...rest] = name.split(' ')
    return first === 'skip' ? undefined : { first, last: rest.join(' ') }
  }
  const load = async (id: string): Promise<{ first: string; last: string }> => {
    loads.push(`v2 ${id}`)
    await sleep(fleet.clock, 10)
    return { first: 'Eve', last: id }
  }
  const loadMany = async (ids: readonly string[]): Promise<{ first: string; last: string }[]> => {
    loads.push(`v2 ${ids.join(' ')}`)
    await sleep(fleet.clock, 10)
    return ids.map(id => ({ first: 'Eve', last: id }))
  }
  const current = (cache: Cache) => cache.define('user', { key, load, loadMany, version: 2, upgrade: split })
  return { ...fleet, loads, key, old, split, load, current }
}

describe('versions of a resource', () => {
  it('live side by side, neither reading the other', async () => {
    const { a, b, key, load, loads, old, until } = openDeploy()
    const before = old(a)
    const after = b.define('user', { key, load, version: 2 })
    expect(await until(before.get('u1'))).toEqual({ name: 'Ada of u1' })
    expect(await until(after.get('u1'))).toEqual({ first: 'Eve', last: 'u1' })
    expect(await until(before.get('u1'))).toEqual({ name: 'Ada of u1' })
    expect(loads).toEqual(['v1 u1', 'v2 u1'])
  })

  it('are deleted and replaced together', async () => {
    const { a, b, current, old, until } = openDeploy()
    const [before, after] = [old(a), current(b)]
    await until(before.get('u1'))
    await until(after.get('u1'))
    await until(after.delete('u1'))
    expect(await a.has(before.keyOf('u1'), { version: 1 })).toBe(false)
    await until(before.get('u1'))
    await until(after.set('u1', { first: 'Set', last: 'by new code' }))
    expect(await a.has(before.keyOf('u1'), { version: 1 })).toBe(false)
  })
})

describe('a value of the version before', () => {
  it('is brought forward without a load, and fresh for as long as it was', async () => {
    const { a, b, current, loads, old, sleep: pass, until } = openDeploy()
    const [before, after] = [old(a), current(b)]
    await until(before.get('u1'))
    await until(pass(1_000_000))
    expect(await until(after.get('u1'))).toEqual({ first: 'Ada', last: 'of u1' })
    expect(loads).toEqual(['v1 u1'])
    const entry = await b.getEntry(after.keyOf('u1'), { version: 2 })
    expect(entry?.value).toEqual({ first: 'Ada', last: 'of u1' })
    expect(entry?.freshForMs).toBe(3_600_000 - 1_000_000 - 10 + 10)
  })

  it('is brought forward key by key in a batch, and the others are loaded together', async () => {
    const { a, b, current, loads, old, until } = openDeploy()
    const [before, after] = [old(a), current(b)]
    await until(before.get('u1'))
    await until(before.get('u3'))
    expect(await until(after.getMany(['u1', 'u2', 'u3', 'u4']))).toEqual([
      { first: 'Ada', last: 'of u1' },
      { first: 'Eve', last: 'u2' },
      { first: 'Ada', last: 'of u3' },
      { first: 'Eve', last: 'u4' },
    ])
    expect(loads).toEqual(['v1 u1', 'v1 u3', 'v2 u2 u4'])
  })

  it('is not used once it is stale, deleted or expired', async () => {
    const { a, b, current, loads, old, sleep: pass, until } = openDeploy({ ttl: '1m', staleIfError: '1h' })
    const [before, after] = [old(a), current(b)]
    for (const id of ['u1', 'u2', 'u3']) await until(before.get(id))
    await until(after.delete('u2'))
    await until(before.expire('u3'))
    loads.length = 0
    expect((await until(after.get('u2'))).first).toBe('Eve')
    expect((await until(after.get('u3'))).first).toBe('Eve')
    await until(pass(61_000))
    expect((await until(after.get('u1'))).first).toBe('Eve')
    expect(loads).toEqual(['v2 u2', 'v2 u3', 'v2 u1'])
  })

  it('does not take the place of one of the current version', async () => {
    const { a, b, current, loads, old, until } = openDeploy({ staleIfError: '1h' })
    const [before, after] = [old(a), current(b)]
    await until(after.set('u1', { first: 'New', last: 'value' }))
    await until(before.get('u1'))
    loads.length = 0
    expect((await until(after.refresh('u1'))).first).toBe('Eve')
    await until(after.expire('u1'))
    expect((await until(after.get('u1'))).first).toBe('Eve')
    expect(loads).toEqual(['v2 u1', 'v2 u1'])
  })

  it('that cannot be brought forward is loaded, and told', async () => {
    const { a, b, key, load, loads, split, old, until } = openDeploy()
    const before = old(a)
    const schema = z.object({ first: z.string().max(3), last: z.string() })
    const after = b.define('user', { key, load, version: 2, upgrade: split, schema })
    await until(before.set('u1', { name: 'skip me' }))
    await until(before.set('u2', { name: 'Bartholomew' }))
    await until(before.set('u3', { surname: 'none' } as never))
    const records = watch(b, 'decode-error')
    for (const id of ['u1', 'u2', 'u3']) expect((await until(after.get(id))).first).toBe('Eve')
    expect(loads).toEqual(['v2 u1', 'v2 u2', 'v2 u3'])
    expect(records.map(({ reason, key: of, version }) => `${reason} ${of} ${version}`)).toEqual([
      'upgrade user:id=u2 1',
      'upgrade user:id=u3 1',
    ])
  })

  it.each([
    ['cannot be stored', () => ({ first: 'Fn', last: () => 'none' })],
    ['comes later', () => Promise.reject(new Error('too late'))],
    ['that the definition has no verdict on', () => ({ first: 'Odd', last: '' })],
  ])('is loaded, and told, when what comes of it %s', async (_, upgrade) => {
    const { a, b, key, load, old, until } = openDeploy()
    const shouldCache = ({ first }: { first: string }): boolean => (first === 'Odd' ? (undefined as never) : true)
    const after = b.define('user', { key, load, version: 2, upgrade: upgrade as never, shouldCache })
    await until(old(a).set('u1', { name: 'Ada' }))
    const records = watch(b, 'decode-error')
    expect(await until(after.get('u1'))).toEqual({ first: 'Eve', last: 'u1' })
    expect(records).toMatchObject([{ reason: 'upgrade', key: 'user:id=u1', version: 1 }])
  })

  it('is answered and not stored when the definition refuses it', async () => {
    const { a, b, key, load, loads, split, old, until } = openDeploy()
    const shouldCache = ({ first }: { first: string }): boolean => first !== 'Ada'
    const after = b.define('user', { key, load, version: 2, upgrade: split, shouldCache })
    await until(old(a).set('u1', { name: 'Ada Lovelace' }))
    expect(await until(after.get('u1'))).toEqual({ first: 'Ada', last: 'Lovelace' })
    expect(await until(a.has(after.keyOf('u1'), { version: 2 }))).toBe(false)
    expect(loads).toEqual([])
  })

  it('that is deleted while it is brought forward is not stored', async () => {
    const { a, b, current, old, store, until } = openDeploy()
    const [before, after] = [old(a), current(b)]
    await until(before.get('u1'))
    let deleted: Promise<unknown> | undefined
    store.script = ({ command, client }) => {
      if (command === 'commit' && client === 1) deleted ??= before.delete('u1')
      return command === 'commit' ? { kind: 'slow', requestMs: 20, replyMs: 0 } : undefined
    }
    expect((await until(after.get('u1'))).first).toBe('Ada')
    await until(deleted!)
    store.script = () => undefined
    expect((await until(after.get('u1'))).first).toBe('Eve')
  })
})
