import fc from 'fast-check'

/** Something that reads what others wrote, and what must hold whatever that is. */
export interface FuzzTarget {
  readonly name: string
  /** Draws inputs and throws when something that was read breaks a rule. */
  run(parameters: fc.Parameters<unknown>): void
}

export function target<Input>(name: string, inputs: fc.Arbitrary<Input>, check: (input: Input) => void): FuzzTarget {
  return {
    name,
    run: ({ seed, path, numRuns }) =>
      fc.assert(
        fc.property(inputs, input => check(input)),
        {
          ...(seed === undefined ? {} : { seed }),
          ...(path === undefined ? {} : { path }),
          ...(numRuns === undefined ? {} : { numRuns }),
        },
      ),
  }
}

/** Throws like an assertion, in scripts too. */
export function must(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new Error(rule)
}
