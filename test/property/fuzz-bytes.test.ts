import { describe, expect, it } from 'vitest'
import { byteTargets } from './fuzz/bytes.ts'

/** `npm run test:fuzz -- --minutes N` goes on for as long as you like. */
describe('whatever the bytes are, they are unreadable or what was written, and nothing else happens', () => {
  it.each(byteTargets.map(each => [each.name, each] as const))('%s', (_name, target) => {
    expect(() => target.run({ numRuns: 400 })).not.toThrow()
  })
})
