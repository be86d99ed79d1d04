import { describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/core/cache.ts'
import type { Resource } from '../../../src/core/resources/resource.ts'
import { openFleet, sleep, type Fleet } from '../engine/stage.ts'

interface Page {
  readonly id: string
  readonly author: string
  readonly nth: number
}

const tagsOf = (id: string, { author }: Page): readonly string[] => [`page:${id}`, `author:${author}`]

interface Wiki extends Fleet {
  readonly pages: Resource<string, Page>
  /** Ids in the order in which they were loaded. */
  readonly loads: string[]
}

function openWiki(loader: 'load' | 'loadMany'): Wiki {
  const fleet = openFleet({ tags: ['all'] })
  const loads: string[] = []
  const load = async (id: string): Promise<Page> => {
    const nth = loads.push(id)
    await sleep(fleet.clock, 20)
    return { id, author: `a${id}`, nth }
  }
  const loaders = loader === 'load' ? { load } : { loadMany: (ids: readonly string[]) => Promise.all(ids.map(load)) }
  const define = (cache: Cache): Resource<string, Page> =>
    cache.define('page', { key: (id: string) => ({ id }), ...loaders, tags: tagsOf })
  return { ...fleet, pages: define(fleet.a), loads }
}

describe.each(['load', 'loadMany'] as const)('tags that a definition takes from the value of %s', loader => {
  it('invalidate that value, and no other', async () => {
    const { b, pages, loads, until } = openWiki(loader)
    await until(pages.getMany(['1', '2', '3']))
    await until(b.invalidateTags(['author:a2', 'page:3']))
    await until(pages.getMany(['1', '2', '3']))
    expect(loads).toEqual(['1', '2', '3', '2', '3'])
    await until(b.invalidateTags('all'))
    await until(pages.getMany(['1', '2', '3']))
    expect(loads).toHaveLength(8)
  })

  it('count from before the load: invalidated while it runs, they make its value absent for those who come later', async () => {
    const { b, pages, clock, until } = openWiki(loader)
    const early = pages.get('1')
    await clock.advance(5)
    await until(b.invalidateTags('author:a1'))
    const late = pages.get('1')
    expect(await until(early)).toMatchObject({ nth: 1 })
    expect(await until(late)).toMatchObject({ nth: 2 })
    expect(await until(pages.get('1'))).toMatchObject({ nth: 2 })
  })

  it('add to those of the call', async () => {
    const { b, pages, loads, until } = openWiki(loader)
    await until(pages.get('1', { tags: ['mine'] }))
    await until(b.invalidateTags('mine'))
    await until(pages.get('1', { tags: ['mine'] }))
    await until(b.invalidateTags('author:a1'))
    await until(pages.get('1'))
    expect(loads).toHaveLength(3)
  })

  it('are given to what is set', async () => {
    const { b, pages, loads, until } = openWiki(loader)
    const page = (id: string): Page => ({ id, author: 'Ada', nth: 0 })
    await until(pages.set('1', page('1'), { tags: ['mine'] }))
    await until(
      pages.setMany([
        ['2', page('2')],
        ['3', page('3')],
      ]),
    )
    await until(b.invalidateTags('page:2'))
    await until(pages.getMany(['1', '2', '3']))
    expect(loads).toEqual(['2'])
    await until(b.invalidateTags('author:Ada'))
    await until(pages.getMany(['1', '2', '3']))
    expect(loads).toEqual(['2', '1', '3'])
    await until(pages.set('1', page('1'), { tags: ['mine'] }))
    await until(b.invalidateTags('mine'))
    await until(pages.get('1'))
    expect(loads).toHaveLength(4)
  })

  it('are given to what is warmed', async () => {
    const { b, pages, loads, until } = openWiki(loader)
    expect(await until(pages.warm(['1', '2']))).toMatchObject({ loaded: 2 })
    await until(b.invalidateTags('author:a2'))
    await until(pages.getMany(['1', '2']))
    expect(loads.slice(2)).toEqual(['2'])
  })
})

describe('tags that a definition takes from a value', () => {
  it('are kept when the source says that it has not changed, and taken anew', async () => {
    const { a, b, until, clock } = openFleet({ ttl: '10s', staleIfError: '1h' })
    let loads = 0
    let name = 'first'
    const rows = a.define('row', {
      key: (id: string) => ({ id }),
      load: (_, context) => (++loads > 1 && context.stale !== undefined ? context.notModified() : 'row'),
      tags: () => [name],
    })
    await until(rows.get('1'))
    name = 'second'
    await clock.advance(11_000)
    await until(rows.get('1'))
    for (const tag of ['first', 'second']) {
      const before = loads
      await until(b.invalidateTags(tag))
      await until(rows.get('1'))
      expect(loads, tag).toBe(before + 1)
      await clock.advance(11_000)
      await until(rows.get('1'))
    }
  })

  it('that are none fail that value alone, and what is set', async () => {
    const { a, until } = openFleet()
    const rows = a.define('row', {
      key: (id: string) => ({ id }),
      loadMany: ids => ids.map(id => id),
      tags: id => (id === '2' ? [''] : id === '3' ? ('red' as unknown as string[]) : []),
    })
    const settled = await until(rows.getManySettled(['1', '2', '3']))
    expect(settled.map(each => (each.status === 'rejected' ? (each.reason as { code: string }).code : each.value))).toEqual([
      '1',
      'INVALID_OPTION',
      'INVALID_OPTION',
    ])
    await expect(until(rows.set('2', 'two'))).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'tags' })
  })

  it('go with a value that is brought forward from the version before', async () => {
    const { a, b, until } = openFleet()
    const key = (id: string): { id: string } => ({ id })
    const old = a.define('row', { key, load: () => 'old', version: 1 })
    const rows = b.define('row', {
      key,
      load: () => 'loaded',
      version: 2,
      upgrade: value => `${String(value)}, upgraded`,
      tags: id => [`row:${id}`],
    })
    await until(old.set('1', 'old'))
    await until(old.set('2', 'old'))
    expect(await until(rows.get('1'))).toBe('old, upgraded')
    await until(a.invalidateTags(['row:1', 'row:2']))
    expect(await until(rows.getMany(['1', '2']))).toEqual(['loaded', 'loaded'])
  })
})
