import { describe, expect, it } from 'vitest'
import { refused } from '../../../src/testing/chaos-store.ts'
import type { WarmReport } from '../../../src/core/resources/warm-options.ts'
import { openFleet, sleep, track, watch } from '../engine/stage.ts'

function openWarehouse(options: Parameters<typeof openFleet>[0] = {}) {
  const fleet = openFleet({ ttl: '1h', ...options })
  const loads: number[][] = []
  let running = 0
  let mostAtOnce = 0
  const counted = async <Value>(ids: readonly number[], values: () => Value): Promise<Value> => {
    loads.push([...ids])
    mostAtOnce = Math.max(mostAtOnce, ++running)
    await sleep(fleet.clock, 10)
    running--
    return values()
  }
  const one = (id: number): number | Error => (id === 13 ? new Error('unlucky') : id)
  const key = (id: number): { id: number } => ({ id })
  const load = (id: number): Promise<number> =>
    counted([id], () => {
      if (id === 13) throw new Error('unlucky')
      return id
    })
  const loadMany = (ids: readonly number[]): Promise<(number | Error)[]> => counted(ids, () => ids.map(one))
  return { ...fleet, loads, key, load, loadMany, mostAtOnce: () => mostAtOnce }
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 100)

async function* slowly(ids: readonly number[]): AsyncGenerator<number> {
  for (const id of ids) {
    await Promise.resolve()
    yield id
  }
}

describe('warming', () => {
  it.each(['clear', 'invalidateTags'] as const)(
    'loads what %s has made absent, and passes over what is still valid',
    async how => {
      const { a, b, key, loadMany, until } = openWarehouse()
      const parts = a.define('part', { key, loadMany, tags: id => [`part:${id}`] })
      await until(parts.warm(range(3)))
      await until(how === 'clear' ? b.clear() : b.invalidateTags(['part:100', 'part:102']))
      const loaded = how === 'clear' ? 3 : 2
      expect(await until(parts.warm(range(3)))).toMatchObject({ loaded, fresh: 3 - loaded, skipped: 0 })
      expect(await until(b.getMany(range(3).map(id => parts.keyOf(id))))).toEqual([100, 101, 102])
    },
  )

  it('loads in batches what is not there fresh', async () => {
    const { a, b, key, loadMany, loads, until } = openWarehouse()
    const parts = a.define('part', { key, loadMany })
    await until(parts.set(101, -1))
    const report = await until(parts.warm(range(10), { batchSize: 4, concurrency: 1 }))
    expect(report).toEqual({ position: 10, loaded: 9, fresh: 1, skipped: 0, failed: 0 })
    expect(loads).toEqual([
      [100, 102, 103],
      [104, 105, 106, 107],
      [108, 109],
    ])
    expect(await b.getMany(range(3).map(id => parts.keyOf(id)))).toEqual([100, -1, 102])
  })

  it.each([
    ['a list', (ids: number[]) => ids],
    ['a set', (ids: number[]) => new Set(ids)],
    ['an async source', slowly],
  ])('takes %s', async (_, source) => {
    const { a, key, load, loads, until } = openWarehouse()
    const parts = a.define('part', { key, load })
    expect(await until(parts.warm(source(range(5))))).toMatchObject({ position: 5, loaded: 5 })
    expect(loads.flat().toSorted((one, other) => one - other)).toEqual(range(5))
  })

  it.each(['load', 'loadMany'] as const)('runs no more loads at once by %s than it may', async by => {
    const { a, key, load, loadMany, mostAtOnce, until } = openWarehouse()
    const parts = by === 'load' ? a.define('part', { key, load }) : a.define('part', { key, loadMany })
    await until(parts.warm(range(60), { batchSize: 5, concurrency: 3 }))
    expect(mostAtOnce()).toBe(3)
  })

  it('tells how far it is, and goes on from there', async () => {
    const { a, key, loadMany, loads, until } = openWarehouse()
    const parts = a.define('part', { key, loadMany })
    const told: WarmReport[] = []
    const enough = new AbortController()
    const onProgress = (progress: WarmReport): void => {
      told.push(progress)
      if (progress.position >= 6) enough.abort(new Error('enough'))
    }
    const interrupted = parts.warm(range(12), { batchSize: 3, concurrency: 1, onProgress, signal: enough.signal })
    await expect(until(interrupted)).rejects.toThrow('enough')
    expect(told.map(({ position }) => position)).toEqual([3, 6])
    loads.length = 0
    expect(await until(parts.warm(range(12), { from: 6, batchSize: 3 }))).toEqual({
      position: 12,
      loaded: 6,
      fresh: 0,
      skipped: 0,
      failed: 0,
    })
    expect(loads.flat()).toEqual(range(12).slice(6))
  })

  it('ends at once when it is aborted, the loads too', async () => {
    const { a, clock, key } = openWarehouse()
    const signals: AbortSignal[] = []
    const parts = a.define('part', {
      key,
      load: (_, { signal }) => {
        signals.push(signal)
        return new Promise<number>((__, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
    })
    const enough = new AbortController()
    const warming = track(clock, parts.warm(range(3), { signal: enough.signal }))
    await clock.advance(50)
    enough.abort(new Error('enough'))
    await clock.advance(1)
    expect(warming.error).toBe(enough.signal.reason)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it('counts and tells what fails, and goes on', async () => {
    const { a, key, loadMany, until } = openWarehouse()
    const parts = a.define('part', { key, loadMany })
    const errors: unknown[] = []
    const report = await until(parts.warm([1, 13, 2], { onError: (id, error) => errors.push([id, (error as Error).message]) }))
    expect(report).toEqual({ position: 3, loaded: 2, fresh: 0, skipped: 0, failed: 1 })
    expect(errors).toEqual([[13, 'unlucky']])
  })

  it('ends with the error of a store that cannot be read, or of the source', async () => {
    const { a, key, load, loads, store, until } = openWarehouse()
    const parts = a.define('part', { key, load })
    const source = (function* () {
      yield 1
      throw new Error('no more')
    })()
    await expect(until(parts.warm(source, { batchSize: 1, concurrency: 1 }))).rejects.toThrow('no more')
    store.script = ({ command }) => (command === 'read' ? refused() : undefined)
    await expect(until(parts.warm([2, 3]))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(loads).toEqual([[1]])
  })

  it('leaves to others what they are loading, and does not wait for them', async () => {
    const { a, b, clock, key, load, loads, source, until } = openWarehouse()
    const parts = a.define('part', { key, load })
    const other = b.getOrSet(parts.keyOf(2), source.takes(500))
    await clock.advance(10)
    expect(await until(parts.warm([1, 2, 3]))).toEqual({ position: 3, loaded: 2, fresh: 0, skipped: 1, failed: 0 })
    expect(loads).toEqual([[1], [3]])
    await until(other)
  })

  it('serves callers that come while it loads, and lets them go first', async () => {
    const { a, clock, key, load, loads } = openWarehouse()
    const parts = a.define('part', { key, load, maxConcurrentLoads: 1 })
    const warming = track(clock, parts.warm([1, 2, 3, 4], { concurrency: 1, batchSize: 2 }))
    await clock.advance(5)
    const calls = [1, 7, 8].map(id => track(clock, parts.get(id)))
    await clock.advance(200)
    expect(calls.map(({ value }) => value)).toEqual([1, 7, 8])
    expect(warming.state).toBe('fulfilled')
    expect(loads).toEqual([[1], [7], [8], [2], [3], [4]])
  })

  it('says to the loader that nobody waits', async () => {
    const { a, key, until } = openWarehouse()
    const seen: boolean[] = []
    const parts = a.define('part', { key, load: (id, { background }) => (seen.push(background), id) })
    await until(parts.warm([1]))
    await until(parts.get(2))
    expect(seen).toEqual([true, false])
  })

  it('lets go of a source that it does not read to its end', async () => {
    const { a, key, load, until } = openWarehouse()
    const parts = a.define('part', { key, load })
    let closed = false
    const source = (async function* () {
      try {
        for (let id = 0; ; id++) yield id
      } finally {
        closed = true
      }
    })()
    const signal = AbortSignal.abort(new Error('no'))
    await expect(until(parts.warm(source, { signal }))).rejects.toThrow('no')
    const enough = new AbortController()
    const onProgress = (): void => enough.abort(new Error('enough'))
    const endless = (async function* () {
      try {
        for (let id = 0; ; id++) yield id
      } finally {
        closed = true
      }
    })()
    await expect(until(parts.warm(endless, { signal: enough.signal, onProgress }))).rejects.toThrow('enough')
    expect(closed).toBe(true)
  })

  it('refuses options that are none', async () => {
    const { a, key, load } = openWarehouse()
    const parts = a.define('part', { key, load })
    await expect(parts.warm([], { concurrency: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'concurrency' })
    await expect(parts.warm([], { from: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'from' })
    await expect(parts.warm([], { speed: 1 } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' })
    expect(await parts.warm([])).toEqual({ position: 0, loaded: 0, fresh: 0, skipped: 0, failed: 0 })
    expect(watch(a, 'load')).toEqual([])
  })
})
