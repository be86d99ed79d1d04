import { describe, expect, it } from 'vitest'
import { messageTargets } from './fuzz/messages.ts'

describe('whatever is said to us, it is understood as it was meant or refused by name', () => {
  it.each(messageTargets.map(each => [each.name, each] as const))('%s', (_name, target) => {
    expect(() => target.run({ numRuns: 2000 })).not.toThrow()
  })
})
