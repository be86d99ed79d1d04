import { describe, expect, it } from 'vitest'
import { parseTime, ServerTime } from '../../../src/redis/server-time.ts'

const sample = (
  serverMs: number,
  sentAt: number,
  receivedAt: number,
): { serverMs: number; sentAt: number; receivedAt: number } => ({
  serverMs,
  sentAt,
  receivedAt,
})

describe("the server's time", () => {
  it('is not known before the first sample, nor after a reset', () => {
    const time = new ServerTime()
    expect(time.known).toBe(false)
    expect(time.now(5)).toBeNaN()
    time.take(sample(1_000, 0, 2))
    expect(time.known).toBe(true)
    time.reset()
    expect(time.earliest(5)).toBeNaN()
  })

  it('is never behind counted from the sending, never ahead counted from the arrival', () => {
    const time = new ServerTime()
    // The server answered somewhere between 100 and 110 on our clock.
    time.take(sample(5_000, 100, 110))
    expect(time.now(150)).toBe(5_050)
    expect(time.earliest(150)).toBe(5_040)
  })

  it('keeps a good sample when the next took long, for a while, and asks for another', () => {
    const time = new ServerTime()
    expect(time.take(sample(1_000, 0, 1))).toBe(true)
    expect(time.take(sample(2_150, 1_000, 1_300))).toBe(false)
    expect(time.now(2_000) - time.earliest(2_000)).toBe(1)
    expect(time.take(sample(9_150, 8_000, 8_300))).toBe(true)
    expect(time.now(9_000) - time.earliest(9_000)).toBe(300)
  })

  it('follows a server whose clock was set, however long the sample took', () => {
    const time = new ServerTime()
    time.take(sample(1_000, 0, 1))
    expect(time.take(sample(60_000, 1_000, 1_300))).toBe(true)
    expect(time.now(1_300)).toBe(60_300)
    expect(time.take(sample(500, 2_000, 2_300))).toBe(true)
    expect(time.earliest(2_300)).toBe(500)
  })

  it('is read from what TIME replies', () => {
    expect(parseTime(['1700000000', '123456'])).toBe(1_700_000_000_123.456)
    expect(parseTime([Buffer.from('1'), Buffer.from('0')])).toBe(1_000)
    expect(parseTime('OK')).toBeNaN()
    expect(parseTime([])).toBeNaN()
  })
})
