import { describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/core/cache.ts'
import type { CallOptions } from '../../../src/core/options/options.ts'
import { openFleet, track } from './stage.ts'

const recursion = { code: 'LOADER_RECURSION', key: 'k' }

/** A loader that asks for `keys`, one from within the other, and ends with a value. */
function asking(cache: Cache, keys: readonly string[], options?: CallOptions): () => Promise<string> {
  const [key, ...rest] = keys
  return async () => (key === undefined ? 'value' : cache.getOrSet(key, asking(cache, rest, options), options))
}

describe('a loader that asks for its own key', () => {
  it('is told so instead of waiting for itself', async () => {
    const { a, clock, until } = openFleet()
    const call = until(a.getOrSet('k', asking(a, ['k'])))
    await expect(call).rejects.toMatchObject(recursion)
    await expect(call).rejects.toThrow('the loader of "k" asks the cache for "k" itself')
    expect(clock.now()).toBe(0)
  })

  it('is told so through the loaders of other keys', async () => {
    const { a, until } = openFleet()
    await expect(until(a.getOrSet('k', asking(a, ['l', 'm', 'k'])))).rejects.toMatchObject(recursion)
  })

  it('is told so with forceFresh', async () => {
    const { a, until } = openFleet()
    const forced = { forceFresh: true }
    await expect(until(a.getOrSet('k', asking(a, ['k'], forced), forced))).rejects.toMatchObject(recursion)
  })

  it('is told so while it runs without a lease', async () => {
    const { a, store, until } = openFleet()
    store.script = ({ command }) => (command === 'acquire' ? { kind: 'answered', reply: { kind: 'full' } } : undefined)
    await expect(until(a.getOrSet('k', asking(a, ['k'])))).rejects.toMatchObject(recursion)
  })

  it('may catch the error and go on', async () => {
    const { a, until } = openFleet()
    const loader = async (): Promise<string> => {
      await expect(a.getOrSet('k', () => 'inner')).rejects.toMatchObject(recursion)
      return 'outer'
    }
    expect(await until(a.getOrSet('k', loader))).toBe('outer')
  })

  it('may ask for what needs no load: get, has and set', async () => {
    const { a, until } = openFleet()
    const loader = async (): Promise<string> => `${String(await a.get('k'))} ${String(await a.has('k'))}`
    expect(await until(a.getOrSet('k', loader))).toBe('undefined false')
  })
})

describe('no recursion', () => {
  it('is a loader that asks for other keys, versions or caches', async () => {
    const { a, b, until } = openFleet()
    expect(await until(a.getOrSet('k', asking(a, ['l', 'm'])))).toBe('value')
    expect(await until(a.getOrSet('n', () => a.getOrSet('n', () => 'old version', { version: 1 })))).toBe('old version')
    const elsewhere = openFleet()
    expect(await until(b.getOrSet('o', () => elsewhere.a.getOrSet('o', () => 'elsewhere')))).toBe('elsewhere')
  })

  it('is a call by work that a finished loader left running', async () => {
    const { a, clock, source, sleep } = openFleet()
    let later: ReturnType<typeof track<string>> | undefined
    const leftRunning = async (): Promise<void> => {
      await sleep(500)
      await a.delete('k')
      later = track(clock, a.getOrSet('k', source.takes(10)))
    }
    void a.getOrSet(
      'k',
      source.runs<string>(() => void leftRunning()),
    )
    // Another loader is running meanwhile, so that contexts are being tracked.
    void a.getOrSet('busy', source.takes(5000))
    await clock.advance(600)
    expect(later).toMatchObject({ state: 'fulfilled', value: 'load 3' })
  })

  it('is a background refresh that asks for the key of the loader it was offered in', async () => {
    const { a, clock, source, sleep, until } = openFleet({ ttl: '1s', staleWhileRevalidate: '1m' })
    await until(a.set('part', 'old part'))
    await clock.advance(1100)
    const loadPart = (): Promise<string> => a.getOrSet('k', source.takes(10))
    const loadWhole = async (): Promise<string> => {
      const part = await a.getOrSet('part', loadPart)
      await sleep(100)
      return `whole of ${part}`
    }
    const whole = track(clock, a.getOrSet('k', loadWhole))
    await clock.advance(300)
    expect(whole.value).toBe('whole of old part')
    expect((await a.getEntry('part'))?.value).toBe('whole of old part')
  })

  it('is a call beside a running loader', async () => {
    const { a, clock, source } = openFleet()
    const one = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(10)
    const other = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(100)
    expect([one.value, other.value]).toEqual(['load 1', 'load 1'])
  })
})
