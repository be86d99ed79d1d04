import { describe, expect, it } from 'vitest'
import { staleAnswers } from '../../../lab/staleness.ts'

interface Row {
  readonly asked: number
  readonly done: number
  readonly product?: number
  readonly write?: boolean
  readonly deferred?: boolean
  /** 0: failed. */
  readonly version: number
}

function record(...rows: readonly Row[]): Parameters<typeof staleAnswers>[0][number] {
  return {
    askedMs: Float64Array.from(rows, row => row.asked),
    doneMs: Float64Array.from(rows, row => row.done),
    product: Uint32Array.from(rows, row => row.product ?? 1),
    write: Uint8Array.from(rows, row => (row.write === true ? 1 : 0)),
    version: Uint32Array.from(rows, row => row.version),
    deferred: Uint8Array.from(rows, row => (row.deferred === true ? 1 : 0)),
  }
}

const write: Row = { asked: 0, done: 10, write: true, version: 2 }

describe('a stale answer', () => {
  it('shows a row that a write acknowledged before the question had replaced', () => {
    expect(staleAnswers([record(write, { asked: 15, done: 16, version: 1 })])).toEqual({
      stale: 1,
      oldestStaleMs: 5,
      examples: [{ product: 1, askedMs: 15, sinceMs: 5, version: 1 }],
    })
    expect(staleAnswers([record(write, { asked: 15, done: 16, version: 2 })])).toMatchObject({ stale: 0, oldestStaleMs: 0 })
  })

  it('is not one whose question came before the acknowledgement', () => {
    expect(staleAnswers([record(write, { asked: 9, done: 30, version: 1 })]).stale).toBe(0)
  })

  it('is found across load generators, and only for the same product', () => {
    const read = { asked: 15, done: 16, version: 1 }
    expect(staleAnswers([record(write), record(read, { ...read, product: 2 })]).stale).toBe(1)
  })

  it('is measured from the first write that it should have shown', () => {
    const later: Row = { asked: 0, done: 40, write: true, version: 3 }
    expect(staleAnswers([record(write, later, { asked: 60, done: 61, version: 1 })]).oldestStaleMs).toBe(50)
    expect(staleAnswers([record(write, later, { asked: 60, done: 61, version: 2 })]).oldestStaleMs).toBe(20)
  })

  it('is neither a failed read nor one after a write that failed or whose invalidation is deferred', () => {
    expect(staleAnswers([record(write, { asked: 15, done: 16, version: 0 })]).stale).toBe(0)
    expect(staleAnswers([record({ ...write, version: 0 }, { asked: 15, done: 16, version: 1 })]).stale).toBe(0)
    expect(staleAnswers([record({ ...write, deferred: true }, { asked: 15, done: 16, version: 1 })]).stale).toBe(0)
  })
})
