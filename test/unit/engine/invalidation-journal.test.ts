import { describe, expect, it } from 'vitest'
import { Sequence } from '../../../src/core/flights/flight.ts'
import { InvalidationJournal } from '../../../src/core/outage/invalidation-journal.ts'
import type { Invalidation } from '../../../src/core/outage/invalidation.ts'

const remove = (key: string): Invalidation => ({ kind: 'remove', key: { key, version: 0 } })
const expire = (key: string): Invalidation => ({ kind: 'expire', key: { key, version: 0 } })
const tag = (name: string): Invalidation => ({ kind: 'tag', tag: name })
const clear: Invalidation = { kind: 'clear' }

function open(): {
  journal: InvalidationJournal
  waiting: () => Invalidation[]
  acknowledge: (one: Invalidation, now?: number) => void
} {
  const journal = new InvalidationJournal(new Sequence())
  return {
    journal,
    waiting: () => journal.entries().map(({ invalidation }) => invalidation),
    acknowledge: (one, now = 0) => journal.acknowledge(one, journal.position, now),
  }
}

describe('what was acknowledged', () => {
  it('is doubted for a minute, and then forgotten', () => {
    const { journal, waiting, acknowledge } = open()
    acknowledge(remove('early'), 0)
    acknowledge(tag('red'), 1_000)
    acknowledge(expire('late'), 60_500)
    expect(journal.doubt(60_999)).toEqual({ count: 2, overflowed: false })
    expect(waiting()).toEqual([tag('red'), expire('late')])
    expect(journal.doubt(60_999)).toEqual({ count: 0, overflowed: false })
  })

  it('is one clear when more was acknowledged within the minute than can be remembered', () => {
    const { journal, waiting, acknowledge } = open()
    for (let key = 0; key <= 50_000; key++) acknowledge(remove(`k${key}`), key / 100)
    journal.defer(tag('red'))
    expect(journal.doubt(1_000)).toEqual({ count: 50_001, overflowed: true })
    expect(waiting()).toEqual([clear])
    expect(journal.blocks({ key: 'any', version: 7 })).toBe(true)
  })

  it('and could not be remembered is nothing to worry about a minute later', () => {
    const { journal, waiting, acknowledge } = open()
    for (let key = 0; key <= 50_000; key++) acknowledge(remove(`k${key}`), 0)
    acknowledge(remove('k'), 60_000)
    expect(journal.doubt(60_001)).toEqual({ count: 1, overflowed: false })
    expect(waiting()).toEqual([remove('k')])
  })

  it('before a clear goes with it', () => {
    const { journal, waiting, acknowledge } = open()
    for (let key = 0; key <= 50_000; key++) acknowledge(remove(`k${key}`), 0)
    acknowledge(clear, 10)
    acknowledge(tag('red'), 20)
    expect(journal.doubt(30)).toEqual({ count: 2, overflowed: false })
    expect(waiting()).toEqual([clear, tag('red')])
  })

  it('as a removal stays one, though the key was expired since', () => {
    const { journal, waiting, acknowledge } = open()
    acknowledge(remove('k'))
    acknowledge(expire('k'))
    journal.doubt(1)
    expect(waiting()).toEqual([remove('k')])
  })

  it('as a removal is told again, though the key waits to be expired', () => {
    const { journal, waiting, acknowledge } = open()
    acknowledge(remove('k'))
    journal.defer(expire('k'))
    journal.doubt(1)
    expect(waiting()).toEqual([remove('k')])
  })

  it('as an expiry is not told again when the key waits to be removed', () => {
    const { journal, waiting, acknowledge } = open()
    acknowledge(expire('k'))
    journal.defer(remove('k'))
    journal.doubt(1)
    expect(waiting()).toEqual([remove('k')])
  })

  it('takes no room from what is deferred', () => {
    const { journal, acknowledge } = open()
    for (let key = 0; key < 12_000; key++) acknowledge(remove(`k${key}`))
    journal.doubt(1)
    expect(journal.defer(remove('one more'))).toBe(0)
    expect(journal.length).toBe(12_001)
  })
})

describe('what is deferred', () => {
  it('as a removal is not told by an expire', () => {
    const { waiting, journal, acknowledge } = open()
    journal.defer(remove('k'))
    acknowledge(expire('k'))
    expect(waiting()).toEqual([remove('k')])
    acknowledge(remove('k'))
    expect(waiting()).toEqual([])
  })

  it('is there once, and told by nothing that was sent before', () => {
    const { waiting, journal } = open()
    const before = journal.position
    for (let again = 0; again < 3; again++) journal.defer(tag('red'))
    expect(waiting()).toEqual([tag('red')])
    journal.acknowledge(tag('red'), before, 0)
    journal.acknowledge(clear, before, 0)
    expect(waiting()).toEqual([tag('red')])
  })

  it('becomes one clear when there is no room for more, and a tag that went with it still blocks what was asked for before', () => {
    const sequence = new Sequence()
    const journal = new InvalidationJournal(sequence)
    journal.defer(tag('red'))
    for (let key = 0; key < 9_999; key++) expect(journal.defer(remove(`k${key}`))).toBe(0)
    const askedAt = sequence.next()
    expect(journal.defer(tag('blue'))).toBe(10_000)
    expect(journal.entries().map(({ invalidation }) => invalidation)).toEqual([clear])
    journal.acknowledge(clear, journal.position, 0)
    expect(journal.length).toBe(0)
    expect(journal.blocks({ key: 'k1', version: 0 })).toBe(false)
    expect(journal.blocksTags(['red'], askedAt)).toBe(true)
    expect(journal.blocksTags(['red'], sequence.next())).toBe(false)
  })
})
