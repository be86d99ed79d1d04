/** A defect that somebody might write, and the tests that must notice it. */
export interface Mutant {
  readonly name: string
  /** What the planted code does. */
  readonly does: string
  /** Where it is planted, from the root of the repository. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** Test files of which at least one must fail. */
  readonly tests: readonly string[]
}
