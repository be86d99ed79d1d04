import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/core/clock.ts'

describe('tokens', () => {
  it('are 16 bytes each, no two alike, and keep what they are when others are drawn', () => {
    const tokens = Array.from({ length: 2_000 }, () => systemRandom.token())
    const texts = tokens.map(token => token.toString('hex'))
    expect(new Set(texts).size).toBe(2_000)
    for (const token of tokens) expect(token).toHaveLength(16)
    expect(tokens.map(token => token.toString('hex'))).toEqual(texts)
  })

  it('have no byte that is always the same', () => {
    const tokens = Array.from({ length: 1_000 }, () => systemRandom.token())
    for (let at = 0; at < 16; at++) expect(new Set(tokens.map(token => token[at])).size).toBeGreaterThan(100)
  })
})
