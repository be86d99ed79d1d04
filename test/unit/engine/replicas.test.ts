import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import { StoreError } from '../../../src/core/errors.ts'
import type { Confirmation, StoreProvider } from '../../../src/core/ports.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { chaosStore, refused, type ChaosStore } from '../../../src/testing/chaos-store.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import type { Cache } from '../../../src/core/cache.ts'
import { openFleet, track } from './stage.ts'

/** A cache whose store has replicas that say this. */
function open(answer: (store: ChaosStore) => Confirmation): { cache: Cache; store: ChaosStore; asked: unknown[] } {
  const memory = memoryStore()
  const asked: unknown[] = []
  const replicated: StoreProvider = {
    kind: 'replicated',
    open: context =>
      Object.assign(memory.open(context), {
        confirm: async (request: unknown) => {
          asked.push(request)
          return answer(store)
        },
      }),
  }
  const store = chaosStore(replicated)
  return { cache: createCache({ namespace: 'test', store, clock: virtualClock() }), store, asked }
}

describe('a delete with replicas', () => {
  it('asks for them once it is done, and with its own timeout', async () => {
    const { cache, asked } = open(() => ({ confirmed: 2, attached: 2 }))
    expect(await cache.delete('k', { version: 3, replicas: 2, timeout: '500ms' })).toBe('applied')
    expect(await cache.delete('other', { replicas: 0, timeout: '500ms' })).toBe('applied')
    expect(
      await cache
        .define('user', { key: ({ id }: { id: string }) => ({ id }), load: () => 1 })
        .delete({ id: '1' }, { replicas: 1 }),
    ).toBe('applied')
    expect(asked).toMatchObject([
      { key: 'k', version: 3, replicas: 2, timeoutMs: 500 },
      { replicas: 1, timeoutMs: 1_000 },
    ])
  })

  it('does not wait for them when it is deferred', async () => {
    const { cache, store, asked } = open(() => ({ confirmed: 1, attached: 1 }))
    store.script = () => refused()
    expect(await cache.delete('k', { replicas: 1 })).toBe('deferred')
    expect(asked).toEqual([])
  })

  it('trusts no confirmation across a change of the server: those may be replicas that never heard of it', async () => {
    const { cache } = open(store => {
      store.changeServer()
      return { confirmed: 1, attached: 1 }
    })
    await expect(cache.delete('k', { replicas: 1 })).rejects.toMatchObject({ code: 'NOT_REPLICATED', confirmed: 0 })
  })

  it('says why nothing is known', async () => {
    const failure = new StoreError('STORE_REFUSED', 'not-executed', 'no permission for the command wait')
    const { cache } = open(() => ({ confirmed: 0, attached: undefined, failure }))
    const deleting = cache.delete('k', { replicas: 1 })
    await expect(deleting).rejects.toMatchObject({ code: 'NOT_REPLICATED', cause: failure })
    await expect(deleting).rejects.toThrow('no permission for the command wait')
  })

  it.each([[null], [0], ['1h'], ['soon']])('refuses %s as their time', async timeout => {
    const { cache } = open(() => ({ confirmed: 0, attached: 0 }))
    const deleting = cache.delete('k', { timeout: timeout as '1h' })
    await expect(deleting).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'timeout' })
  })

  it.each([[-1], [1.5], [101], ['1'], [NaN]])('refuses %s', async replicas => {
    const { cache } = open(() => ({ confirmed: 0, attached: 0 }))
    const deleting = cache.delete('k', { replicas: replicas as number })
    await expect(deleting).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'replicas' })
    await expect(cache.delete('k', { replicas: 1, timeout: 0 })).rejects.toMatchObject({ option: 'timeout' })
  })

  it('has its options named when one is misspelt', async () => {
    const { cache } = open(() => ({ confirmed: 0, attached: 0 }))
    await expect(cache.delete('k', { timout: 1 } as object)).rejects.toThrow('Unknown option "timout"; did you mean "timeout"?')
    await expect(cache.delete('k', { wait: 1 } as object)).rejects.toThrow('allowed: version, replicas, timeout')
  })

  it('is refused by the embedded store, which has none, before anything is deleted', async () => {
    const { a, store } = openFleet()
    await a.set('k', 'v')
    await expect(a.delete('k', { replicas: 1 })).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'replicas' })
    expect(store.count('remove')).toBe(0)
    expect(await a.delete('k', { replicas: 0 })).toBe('applied')
  })

  it('keeps close waiting for no longer than closeTimeout and what Redis may take', async () => {
    const memory = memoryStore()
    const silent: StoreProvider = {
      kind: 'replicated',
      open: context => Object.assign(memory.open(context), { confirm: () => new Promise<never>(() => {}) }),
    }
    const clock = virtualClock()
    const cache = createCache({ namespace: 'test', store: silent, clock, closeTimeout: '1s', storeBudget: 250 })
    void cache.delete('k', { replicas: 1, timeout: '30s' })
    const closed = track(clock, cache.close())
    await clock.advance(1_249)
    expect(closed.state).toBe('pending')
    await clock.advance(1)
    expect(closed.state).toBe('fulfilled')
  })
})
