import { describe, expect, test } from 'vitest'
import { LocalTier } from '../../../src/core/local/local-tier.ts'
import type { Change, Entry, EntryKey } from '../../../src/core/ports.ts'
import { copyTable } from '../../../src/memory/copy-table.ts'
import { virtualClock, type VirtualClock } from '../../../src/testing/index.ts'

const ttlMs = 10_000
const detectionMs = 3_000
const storeNow = 1_000_000
const version = 4
const wakeIdOf = (key: EntryKey): string => `${key.version}:${key.key}`
const tokenOf = (mark: number): Buffer => Buffer.alloc(16, mark)

function entryOf(value: unknown, { token = 1, freshMs = 60_000, loadMs = 0, tags = [] as string[], bytes = 100 } = {}): Entry {
  return {
    bytes: Buffer.alloc(0),
    encodedBytes: 0,
    token: tokenOf(token),
    createdAt: storeNow,
    freshUntil: storeNow + freshMs,
    hardUntil: storeNow + freshMs,
    loadMs,
    expired: false,
    tags,
    epoch: Buffer.alloc(8),
    stampSequence: 0,
    standing: () => 'valid',
    value: () => value,
    keep: () => ({ value: () => value, bytes }),
  }
}

class Bench {
  readonly clock: VirtualClock = virtualClock()
  readonly tier: LocalTier
  sequence = 0

  constructor(limits: { maxEntries?: number; maxBytes?: number } = {}) {
    this.tier = new LocalTier(this.clock, wakeIdOf, copyTable, {
      maxEntries: limits.maxEntries ?? 100,
      maxBytes: limits.maxBytes ?? 1_000_000,
      version,
      ttlMs,
      detectionMs,
    })
    this.pulse()
  }

  pulse(sentAt: number = this.clock.now()): void {
    this.hear({ kind: 'pulse', sequence: this.sequence, sentAt })
  }

  hearKey(key: string, token?: number): void {
    const change: Change = {
      kind: 'key',
      sequence: ++this.sequence,
      wakeId: wakeIdOf({ key, version }),
      token: token === undefined ? undefined : tokenOf(token),
    }
    this.hear(change)
  }

  /** The store's clock shows the same as ours. */
  hear(change: Change): void {
    this.tier.hear(change, this.clock.now())
  }

  fill(key: string, entry: Entry = entryOf(`value of ${key}`), askedAt: number = this.tier.position): void {
    const entryKey = { key, version }
    this.tier.remember(entryKey, entry, entry.tags, askedAt, storeNow)
  }

  value(key: string): unknown {
    return this.tier.find(key)?.kept.value()
  }

  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      await this.clock.advance(Math.min(500, left))
      this.pulse()
    }
  }
}

describe('a copy', () => {
  test('is answered until it is changed', () => {
    const bench = new Bench()
    bench.fill('a')
    bench.fill('b')
    expect(bench.value('a')).toBe('value of a')
    bench.hearKey('a')
    expect(bench.value('a')).toBeUndefined()
    expect(bench.value('b')).toBe('value of b')
  })

  test('stays when the change that is told of is the one it came from', () => {
    const bench = new Bench()
    bench.fill('a', entryOf('new', { token: 7 }))
    bench.hearKey('a', 7)
    expect(bench.value('a')).toBe('new')
    bench.hearKey('a', 8)
    expect(bench.value('a')).toBeUndefined()
  })

  test('lasts no longer than the local ttl', async () => {
    const bench = new Bench()
    bench.fill('a')
    await bench.advance(ttlMs - 1)
    expect(bench.value('a')).toBe('value of a')
    await bench.advance(1)
    expect(bench.value('a')).toBeUndefined()
  })

  test('takes what is left of its freshness, never a fresh ttl, and ends a load early so that it may be refreshed ahead', async () => {
    const bench = new Bench()
    bench.fill('a', entryOf('short', { freshMs: 2_000, loadMs: 300 }))
    await bench.advance(1_699)
    expect(bench.value('a')).toBe('short')
    await bench.advance(1)
    expect(bench.value('a')).toBeUndefined()
  })

  test('that has no freshness left is not kept', () => {
    const bench = new Bench()
    bench.fill('a', entryOf('late', { freshMs: 100, loadMs: 100 }))
    expect(bench.tier.size.entries).toBe(0)
  })
})

describe('an answer is not kept', () => {
  test('when its key changed after the question was sent', () => {
    const bench = new Bench()
    const askedAt = bench.tier.position
    bench.hearKey('a')
    bench.fill('a', entryOf('old'), askedAt)
    expect(bench.value('a')).toBeUndefined()
    bench.fill('a', entryOf('new'))
    expect(bench.value('a')).toBe('new')
  })

  test('when it is older than a copy whose change has been told: a slow answer does not bring the old value back', () => {
    const bench = new Bench()
    const askedAt = bench.tier.position
    bench.fill('a', entryOf('new', { token: 2 }))
    bench.hearKey('a', 2)
    bench.fill('a', entryOf('old', { token: 1 }), askedAt)
    expect(bench.value('a')).toBe('new')
  })

  test('when this process changed the key after the question was sent', () => {
    const bench = new Bench()
    const askedAt = bench.tier.position
    bench.tier.change({ key: 'a', version })
    bench.fill('a', entryOf('old'), askedAt)
    expect(bench.value('a')).toBeUndefined()
  })

  test('when everything changed after the question was sent', () => {
    const bench = new Bench()
    const askedAt = bench.tier.position
    bench.hear({ kind: 'clear', sequence: ++bench.sequence })
    bench.fill('a', entryOf('old'), askedAt)
    expect(bench.value('a')).toBeUndefined()
  })

  test('while the bus is not trusted', () => {
    const bench = new Bench()
    bench.tier.loseBus()
    bench.fill('a')
    bench.pulse()
    expect(bench.value('a')).toBeUndefined()
  })
})

describe('tags', () => {
  test('that are invalidated take their copies along, and no others', () => {
    const bench = new Bench()
    bench.fill('a', entryOf('a', { tags: ['red', 'round'] }))
    bench.fill('b', entryOf('b', { tags: ['blue'] }))
    bench.hear({ kind: 'tags', sequence: ++bench.sequence, tags: ['round'] })
    expect(bench.value('a')).toBeUndefined()
    expect(bench.value('b')).toBe('b')
    bench.fill('a', entryOf('a again', { tags: ['round'] }))
    expect(bench.value('a')).toBe('a again')
  })

  test('that were invalidated after the question was sent forbid the answer', () => {
    const bench = new Bench()
    const askedAt = bench.tier.position
    bench.tier.changeTags(['red'])
    bench.fill('a', entryOf('old', { tags: ['red'] }), askedAt)
    expect(bench.value('a')).toBeUndefined()
  })

  test('beyond number send every tagged copy back once', () => {
    const bench = new Bench()
    bench.fill('a', entryOf('a', { tags: ['kept'] }))
    bench.fill('b')
    bench.tier.changeTags(Array.from({ length: 10_001 }, (_, at) => `tag-${at}`))
    expect(bench.value('a')).toBeUndefined()
    expect(bench.value('b')).toBe('value of b')
    bench.fill('a', entryOf('a', { tags: ['kept'] }))
    expect(bench.value('a')).toBe('a')
  })
})

describe('the bus', () => {
  test('is not trusted before its first pulse', () => {
    const tier = new LocalTier(virtualClock(), wakeIdOf, copyTable, {
      version,
      maxEntries: 1,
      maxBytes: 1000,
      ttlMs,
      detectionMs,
    })
    expect(tier.trusted).toBe(false)
  })

  test('that falls silent is trusted for the detection time after the last pulse was sent', async () => {
    const bench = new Bench()
    bench.fill('a')
    await bench.clock.advance(detectionMs - 1)
    expect(bench.value('a')).toBe('value of a')
    await bench.clock.advance(1)
    expect(bench.value('a')).toBeUndefined()
  })

  test('counts a pulse from its sending: one that was long under way proves little', async () => {
    const bench = new Bench()
    bench.fill('a')
    const sentAt = bench.clock.now()
    await bench.clock.advance(2_900)
    bench.pulse(sentAt)
    await bench.clock.advance(101)
    expect(bench.value('a')).toBeUndefined()
  })

  test('that fell silent and has missed nothing is trusted again, with what was remembered', async () => {
    const bench = new Bench()
    bench.fill('a')
    await bench.clock.advance(5_000)
    expect(bench.value('a')).toBeUndefined()
    bench.pulse()
    expect(bench.value('a')).toBe('value of a')
  })

  test('that lost a message empties the tier at the next', () => {
    const bench = new Bench()
    bench.fill('a')
    bench.sequence++
    bench.hearKey('b')
    expect(bench.value('a')).toBeUndefined()
    bench.fill('a')
    expect(bench.value('a')).toBe('value of a')
  })

  test('that lost the last message empties the tier at the next pulse', () => {
    const bench = new Bench()
    bench.fill('a')
    bench.sequence++
    bench.pulse()
    expect(bench.tier.size.entries).toBe(0)
  })

  test('that brings a message twice or out of order empties the tier', () => {
    const bench = new Bench()
    bench.fill('a')
    bench.hearKey('b')
    bench.hear({ kind: 'key', sequence: bench.sequence, wakeId: wakeIdOf({ key: 'b', version }), token: undefined })
    expect(bench.value('a')).toBeUndefined()
  })

  test('that was lost leaves copies suspect, for when the store is gone too, and its return drops them', () => {
    const bench = new Bench()
    bench.fill('a')
    bench.tier.loseBus()
    expect(bench.value('a')).toBeUndefined()
    expect(bench.tier.findSuspect({ key: 'a', version }, [])?.kept.value()).toBe('value of a')
    bench.pulse()
    expect(bench.value('a')).toBeUndefined()
    expect(bench.tier.findSuspect({ key: 'a', version }, [])).toBeUndefined()
  })

  test('lost, a suspect copy ends with a tag that is invalidated here, be it its own or of who asks', () => {
    const bench = new Bench()
    for (const key of ['a', 'b', 'c']) bench.fill(key, entryOf(key, { tags: [`of ${key}`] }))
    bench.tier.loseBus()
    bench.tier.changeTags(['of a', 'of who asks'])
    const suspect = (key: string, tags: readonly string[] = []): unknown =>
      bench.tier.findSuspect({ key, version }, tags)?.kept.value()
    expect([suspect('a'), suspect('b', ['of who asks']), suspect('c', ['of others'])]).toEqual([undefined, undefined, 'c'])
  })

  test('lost, a suspect copy ends with its freshness', async () => {
    const bench = new Bench()
    bench.fill('a', entryOf('a', { freshMs: 20_000 }))
    bench.tier.loseBus()
    await bench.clock.advance(19_999)
    expect(bench.tier.findSuspect({ key: 'a', version }, [])?.kept.value()).toBe('a')
    await bench.clock.advance(1)
    expect(bench.tier.findSuspect({ key: 'a', version }, [])).toBeUndefined()
  })
})

describe('its bounds', () => {
  test('are a number of entries, the least recently used going first', () => {
    const bench = new Bench({ maxEntries: 2 })
    bench.fill('a')
    bench.fill('b')
    bench.value('a')
    bench.fill('c')
    expect([bench.value('a'), bench.value('b'), bench.value('c')]).toEqual(['value of a', undefined, 'value of c'])
  })

  test('are an estimate of memory, keys and book-keeping included', () => {
    const bench = new Bench({ maxBytes: 10_000 })
    for (let at = 0; at < 1000; at++) bench.fill(`key-${at}`, entryOf(at, { bytes: 100 }))
    expect(bench.tier.size.bytes).toBeLessThanOrEqual(10_000)
    expect(bench.tier.size.entries).toBeLessThan(30)
    expect(bench.tier.size.entries).toBeGreaterThan(5)
  })

  test('leave out what is larger than all of them', () => {
    const bench = new Bench({ maxBytes: 10_000 })
    bench.fill('a', entryOf('a', { bytes: 20_000 }))
    expect(bench.value('a')).toBeUndefined()
    bench.hearKey('a')
    expect(bench.tier.size).toEqual({ entries: 0, bytes: 0 })
  })
})
