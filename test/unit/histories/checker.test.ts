import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/testing/index.ts'
import { checkHistory, type Findings } from '../../histories/checker.ts'
import { History } from '../../histories/history.ts'
import { isBroad, type Operation, type Origin, type Outcome } from '../../histories/operation.ts'
import { isTagged, tagCount } from '../../histories/tags-of-keys.ts'

let lastId = 0

type Times = readonly [began: number, ended: number]
type More = Partial<Pick<Operation, 'key' | 'process' | 'value' | 'outcome'>>

function operation(kind: Operation['kind'], [began, ended]: Times, outcome: Outcome, more: More): Operation {
  return { kind, key: 1, process: 0, id: ++lastId, began, ended, outcome, ...more }
}
const load = (times: Times, more: More = {}): Operation => operation('load', times, 'loaded', more)
const remove = (times: Times, more: More = {}): Operation => operation('delete', times, 'acknowledged', more)
const expire = (times: Times, more: More = {}): Operation => operation('expire', times, 'acknowledged', more)
const set = (times: Times, more: More = {}): Operation => operation('set', times, 'acknowledged', more)
const clear = (times: Times, more: More = {}): Operation => operation('clear', times, 'acknowledged', { key: 0, ...more })
/** Of key 1 these are tags 1, which calls name, and 3, which loaders find. */
const invalidateTags = (times: Times, tag: number, more: More = {}): Operation =>
  operation('invalidateTags', times, 'acknowledged', { key: tag, ...more })
const read = (times: Times, of: Operation, outcome: Outcome = 'hit', more: More = {}): Operation =>
  operation('getOrSet', times, outcome, { value: originOf(of), ...more })

function originOf({ kind, process, id, began }: Operation): Origin {
  return { kind: kind === 'set' ? 'set' : 'load', process, id, began }
}

function check(...operations: Operation[]): Findings {
  return checkHistory(History.of(operations))
}

describe('a read breaks the promise', () => {
  it.each(['hit', 'loaded', 'joined', 'waited'] as const)(
    'when it began after a delete was acknowledged and was answered, as %s, with a load from before the delete',
    outcome => {
      const old = load([0, 10])
      const { counts, violations } = check(old, remove([5, 6]), read([7, 8], old, outcome))
      expect(counts.violations).toBe(1)
      expect(violations[0]).toMatchObject({ read: { began: 7 }, revokedBy: { kind: 'delete', began: 5 } })
    },
  )

  it.each([
    ['delete', remove],
    ['expire', expire],
    ['set', set],
    ['a tag that the call named', (times: Times) => invalidateTags(times, 1)],
    ['a tag that the loader found', (times: Times) => invalidateTags(times, 3)],
    ['clear', clear],
  ])('whatever revoked the value: %s', (_, invalidate) => {
    const old = load([0, 10])
    expect(check(old, invalidate([5, 6]), read([7, 8], old)).counts.violations).toBe(1)
  })

  it('whichever processes they were', () => {
    const old = load([0, 10], { process: 2 })
    const found = check(old, remove([5, 6], { process: 1 }), read([7, 8], old, 'hit', { process: 3 }))
    expect(found.counts.violations).toBe(1)
  })

  it('also when newer invalidations did not revoke what was answered', () => {
    const [old, newer] = [load([0, 10]), load([20, 21])]
    const found = check(old, remove([5, 6]), newer, remove([22, 40]), read([30, 31], newer), read([32, 33], old))
    expect(found.violations.map(({ read: { began }, revokedBy }) => [began, revokedBy?.began])).toEqual([[32, 5]])
  })

  it('when a long invalidation was issued before a short one, and only the short one was acknowledged in time', () => {
    const old = load([0, 10])
    expect(check(old, remove([1, 50]), remove([2, 3]), read([7, 8], old)).counts.violations).toBe(1)
  })

  it('when it was answered with what a set stored that had settled before the delete', () => {
    const before = set([0, 1])
    expect(check(before, remove([5, 6]), read([7, 8], before)).counts.violations).toBe(1)
  })

  it('when a stale answer had been deleted or replaced', () => {
    const old = load([0, 1])
    expect(check(old, remove([5, 6]), read([7, 8], old, 'stale')).counts.violations).toBe(1)
    expect(check(old, set([5, 6]), read([7, 8], old, 'stale')).counts.violations).toBe(1)
    expect(check(old, clear([5, 6]), read([7, 8], old, 'stale')).counts.violations).toBe(1)
    expect(check(old, invalidateTags([5, 6], 3), read([7, 8], old, 'stale')).counts.violations).toBe(1)
  })

  it('when an answer without Redis had been revoked by the process itself', () => {
    const old = load([0, 10])
    expect(check(old, remove([5, 6]), read([7, 8], old, 'unleased')).counts.violations).toBe(1)
    expect(check(old, invalidateTags([5, 6], 1), read([7, 8], old, 'unleased')).counts.violations).toBe(1)
  })

  it('when it was answered with the value of another key', () => {
    const { counts, violations } = check(operation('get', [0, 1], 'foreign', {}))
    expect(counts.violations).toBe(1)
    expect(violations[0]?.text).toContain('the value of another key')
  })
})

describe('an answer by a copy', () => {
  const checkCopies = (...operations: Operation[]): Findings => checkHistory(History.of(operations), 0, 100)

  it.each([
    ['delete', remove],
    ['expire', expire],
    ['set', set],
  ])('breaks the promise when another process had revoked it for longer than copies may be behind: %s', (_, invalidate) => {
    const old = load([0, 10])
    const { counts, violations } = checkCopies(old, invalidate([20, 21], { process: 1 }), read([121.5, 122], old, 'copied'))
    expect(counts).toMatchObject({ violations: 1, copy: 1, copiesBehind: 1, mostBehindMs: 100.5 })
    expect(violations[0]?.text).toContain("was answered as 'copied': copies may be 100.000 ms behind")
  })

  it('breaks it at once when its own process had revoked it', () => {
    const old = load([0, 10])
    const { counts, violations } = checkCopies(old, remove([20, 21]), read([21.5, 22], old, 'copied'))
    expect(counts.violations).toBe(1)
    expect(violations[0]?.text).toContain('what a process does itself applies to its copies at once')
  })

  it('also when both did, and only one of them long enough ago', () => {
    const old = load([0, 10])
    const other = remove([11, 12], { process: 1 })
    expect(checkCopies(old, other, remove([150, 160]), read([120, 121], old, 'copied')).counts.violations).toBe(1)
    expect(checkCopies(old, remove([105, 119]), other, read([110, 111], old, 'copied')).counts.violations).toBe(0)
  })

  it('is in order while copies may be behind, which is counted with how far it was', () => {
    const old = load([0, 10])
    const later = remove([60, 61], { process: 1 })
    const { counts } = checkCopies(old, remove([20, 21], { process: 1 }), later, read([100, 101], old, 'copied'))
    expect(counts).toMatchObject({ violations: 0, copiesBehind: 1, mostBehindMs: 79 })
  })

  it('is in order when it was loaded later', () => {
    const [old, newer] = [load([0, 10]), load([22, 23])]
    const { counts } = checkCopies(old, remove([20, 21]), newer, read([400, 401], newer, 'copied'))
    expect(counts).toMatchObject({ violations: 0, copiesBehind: 0, mostBehindMs: 0 })
  })
})

describe('a read is in order', () => {
  it('when it began before the delete was acknowledged', () => {
    const old = load([0, 10])
    expect(check(old, remove([5, 9]), read([8, 11], old)).counts.violations).toBe(0)
  })

  it('when the load began after the delete was issued', () => {
    const during = load([5.5, 10])
    expect(check(remove([5, 9]), during, read([10, 11], during)).counts.violations).toBe(0)
  })

  it('when the delete failed, so that nobody was told that it was applied', () => {
    const old = load([0, 10])
    expect(check(old, remove([5, 6], { outcome: 'failed' }), read([7, 8], old)).counts.violations).toBe(0)
  })

  it('when another key was deleted', () => {
    const old = load([0, 10])
    expect(check(old, remove([5, 6], { key: 2 }), read([7, 8], old)).counts.violations).toBe(0)
  })

  it('when a tag was invalidated that the key has not, or failed to be', () => {
    const old = load([0, 10])
    for (const tag of [0, 2, 4]) expect(check(old, invalidateTags([5, 6], tag), read([7, 8], old)).counts.violations).toBe(0)
    expect(check(old, invalidateTags([5, 6], 1, { outcome: 'failed' }), read([7, 8], old)).counts.violations).toBe(0)
    expect(check(old, clear([5, 6], { outcome: 'failed' }), read([7, 8], old)).counts.violations).toBe(0)
  })

  it('when it was answered with what a set stored that ran beside the delete, or that failed beside it', () => {
    const beside = set([0, 5.5])
    expect(check(beside, remove([5, 6]), read([7, 8], beside)).counts.violations).toBe(0)
    const failed = set([0, 5.5], { outcome: 'failed' })
    expect(check(failed, remove([5, 6]), read([7, 8], failed)).counts.violations).toBe(0)
  })

  it('when it was answered with the value of the very set that revoked the others', () => {
    const own = set([5, 6])
    expect(check(load([0, 10]), own, read([7, 8], own)).counts.violations).toBe(0)
  })

  it('when a stale answer had only been expired', () => {
    const old = load([0, 1])
    expect(check(old, expire([5, 6]), read([7, 8], old, 'stale')).counts.violations).toBe(0)
  })

  it('when an answer without Redis had been revoked by another process', () => {
    const old = load([0, 10])
    expect(check(old, remove([5, 6], { process: 1 }), read([7, 8], old, 'unleased')).counts.violations).toBe(0)
  })

  it('when nothing is known of the set but its value, which is counted', () => {
    const unknown = set([0, 1])
    const { counts } = check(remove([5, 6]), read([7, 8], unknown))
    expect(counts).toMatchObject({ violations: 0, unjudged: 1 })
  })
})

describe('an explanation', () => {
  it('names the value, the invalidation and the read, with what happened around them, in order', () => {
    const old = load([100, 110], { process: 2 })
    const removal = remove([104, 105.5], { process: 1 })
    const wrong = read([106, 108], old, 'hit', { process: 3 })
    const later = remove([200, 201])
    const [violation] = check(later, wrong, removal, old).violations
    const lines = violation?.text.split('\n') ?? []
    expect(lines[0]).toBe('key 1: process 3 was answered with a value that had been revoked before it asked')
    expect(lines[1]).toContain(`(load ${old.id} of process 2) began 4.000 ms before delete ${removal.id} of process 1 was issued`)
    expect(lines[2]).toContain("the read began 0.500 ms after that was acknowledged, and was answered as 'hit'")
    expect(lines.slice(3).map(line => line.replaceAll(/ +/g, ' ').trim())).toEqual([
      `* + 0.000 ms process 2 load ${old.id} began`,
      `! + 4.000 ms process 1 delete ${removal.id} issued`,
      `! + 5.500 ms process 1 delete ${removal.id} ended: acknowledged`,
      `> + 6.000 ms process 3 getOrSet ${wrong.id} issued`,
      `> + 8.000 ms process 3 getOrSet ${wrong.id} ended: hit, with load ${old.id} of process 2`,
      `* + 10.000 ms process 2 load ${old.id} ended: loaded`,
    ])
  })

  it('leaves out what is not essential when there is much', () => {
    const old = load([0, 1000])
    const others = Array.from({ length: 500 }, (_, index) => load([index, index + 1], { process: 5 }))
    const [violation] = check(old, ...others, remove([5, 6]), read([700, 701], old)).violations
    expect(violation?.text.split('\n').length).toBeLessThan(15)
    expect(violation?.text).toContain('other events of the key left out')
  })
})

describe('the counts', () => {
  it('tell how many reads and loads ran beside an invalidation, and how many reads beside a load that one had revoked', () => {
    const [old, newer] = [load([0, 10]), load([20, 22])]
    const { counts } = check(old, remove([5, 7]), read([6, 20.5], newer), newer, read([8, 30], newer), read([21, 23], newer))
    expect(counts).toMatchObject({ operations: 4, reads: 3, loads: 2, invalidations: 1 })
    expect(counts).toMatchObject({ readsOverlapping: 1, loadsOverlapping: 1, readsBesideRevokedLoads: 1, vouched: 3 })
  })

  it('count an invalidation of many keys once', () => {
    const [old, other] = [load([0, 10]), load([0, 10], { key: 2 })]
    const { counts } = check(old, other, clear([5, 6]), invalidateTags([7, 8], 1, { outcome: 'failed' }))
    expect(counts).toMatchObject({
      operations: 2,
      invalidations: 2,
      broadInvalidations: 2,
      failedInvalidations: 1,
      loadsOverlapping: 2,
    })
  })

  it('leave out what was there from an earlier part of the history, which still revokes', () => {
    const old = load([0, 10])
    const { counts } = checkHistory(History.of([old, remove([5, 6]), read([7, 8], old)]), 2)
    expect(counts).toMatchObject({ operations: 1, violations: 1 })
  })
})

describe('in random histories of a correct cache', () => {
  it('nothing is found, and every planted violation is', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const operations = correctHistory(seed)
      expect(checkHistory(History.of(operations)).counts.violations, `seed ${seed}`).toBe(0)
      const planted = plant(operations, seed)
      expect(planted.length).toBeGreaterThan(0)
      const { counts, violations } = checkHistory(History.of([...operations, ...planted]))
      expect(counts.violations, `seed ${seed}`).toBe(planted.length)
      for (const { read: wrong } of violations) expect(planted.map(({ id }) => id)).toContain(wrong.id)
    }
  })

  /** Each key is a register that takes effect at one moment inside each operation. */
  function correctHistory(seed: number): Operation[] {
    const random = seededRandom(seed)
    const operations: Operation[] = []
    const stored = new Map<number, Operation>()
    for (let at = 1; at < 500; at++) {
      const [key, process] = [Math.floor(random.next() * 3), Math.floor(random.next() * 4)]
      const times: Times = [at - random.next() * 5, at + random.next() * 5]
      const dice = random.next()
      const value = stored.get(key)
      if (dice < 0.03) {
        operations.push(clear(times, { process }))
        stored.clear()
      } else if (dice < 0.06) {
        const tag = Math.floor(random.next() * tagCount)
        operations.push(invalidateTags(times, tag, { process }))
        for (const each of stored.keys()) if (isTagged(each, tag)) stored.delete(each)
      } else if (dice < 0.1) {
        operations.push(remove(times, { key, process }))
        stored.delete(key)
      } else if (dice < 0.2) {
        const written = set(times, { key, process })
        operations.push(written)
        stored.set(key, written)
      } else if (value === undefined) {
        // A load that began before an earlier moment would have been revoked.
        const loaded = load([at, at], { key, process })
        operations.push(loaded)
        stored.set(key, loaded)
      } else {
        operations.push(read(times, value, 'hit', { key, process }))
      }
    }
    return operations
  }

  /** Reads that get a value which an invalidation has revoked. */
  function plant(operations: readonly Operation[], seed: number): Operation[] {
    const random = seededRandom(1000 + seed)
    const removals = operations.filter(({ kind }) => kind === 'delete' || isBroad(kind))
    return removals
      .filter(() => random.next() < 0.2)
      .flatMap(removal => {
        const value = operations.find(
          each => (each.kind === 'load' || each.kind === 'set') && concerns(removal, each.key) && each.ended < removal.began,
        )
        const began = removal.ended + random.next() * 50
        return value === undefined ? [] : [read([began, began + 1], value, 'hit', { key: value.key })]
      })
  }

  function concerns(removal: Operation, key: number): boolean {
    if (removal.kind === 'clear') return true
    return removal.kind === 'invalidateTags' ? isTagged(key, removal.key) : removal.key === key
  }
})
