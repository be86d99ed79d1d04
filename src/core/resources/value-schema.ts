import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'
import type { SchemaIssue, StandardSchema } from './standard-schema.ts'

/** Freezes a value and all in it; false when that cannot be done. */
export type Freeze = (value: unknown) => boolean

const issuesShown = 3

/** What a resource's values must be like, on their way into the store and out of it. */
export class ValueSchema {
  readonly #schema: StandardSchema
  /** What frozen stored values came out as, so that each is validated once. */
  readonly #outputs = new WeakMap<object, { readonly output: unknown }>()

  constructor(schema: StandardSchema) {
    this.#schema = schema
  }

  /**
   * What callers get for a stored value: the schema's output.
   *
   * @param freeze Under `'freeze'`: stored values are shared, and so is what comes of them.
   * @throws SchemaMismatch
   */
  read(value: unknown, freeze: Freeze | undefined): unknown {
    if (freeze === undefined || typeof value !== 'object' || value === null) return this.#validate(value)
    const known = this.#outputs.get(value)
    if (known !== undefined) return known.output
    const output = this.#validate(value)
    if (Object.isFrozen(value) && freeze(output)) this.#outputs.set(value, { output })
    return output
  }

  /** @throws LeaseholdError `SCHEMA_MISMATCH` */
  check(key: string, value: unknown): void {
    try {
      this.#validate(value)
    } catch (error) {
      if (!(error instanceof SchemaMismatch)) throw error
      throw mismatch(key, error)
    }
  }

  #validate(value: unknown): unknown {
    const result = this.#resultFor(value)
    if (result instanceof Promise) {
      result.catch(() => {})
      throw new SchemaMismatch([{ message: 'the schema validates asynchronously, which a cache cannot wait for' }])
    }
    if (typeof result !== 'object' || result === null || !(result.issues === undefined || Array.isArray(result.issues))) {
      throw new SchemaMismatch([{ message: `the schema answered ${describeValue(result)}, neither a value nor issues` }])
    }
    if (result.issues !== undefined) throw new SchemaMismatch(result.issues)
    return result.value
  }

  #resultFor(value: unknown): ReturnType<StandardSchema['~standard']['validate']> {
    try {
      return this.#schema['~standard'].validate(value)
    } catch (error) {
      const reason = error instanceof Error ? error.message : describeValue(error)
      throw new SchemaMismatch([{ message: `the schema threw: ${reason}` }], error)
    }
  }
}

/** A value that is not what the schema says. */
export class SchemaMismatch extends Error {
  override readonly name: string = 'SchemaMismatch'
  readonly issues: readonly SchemaIssue[]

  constructor(issues: readonly SchemaIssue[], ...cause: readonly [cause?: unknown]) {
    super(issues.slice(0, issuesShown).map(describeIssue).join('; '), cause.length === 0 ? undefined : { cause: cause[0] })
    this.issues = issues
  }
}

function mismatch(key: string, cause: SchemaMismatch): LeaseholdError {
  return new LeaseholdError(
    'SCHEMA_MISMATCH',
    `the value of ${describeValue(key)} is not what its schema says: ${cause.message}`,
    {
      key,
      option: 'schema',
      cause,
    },
  )
}

function describeIssue({ message, path = [] }: SchemaIssue): string {
  const where = path.map(part => String(typeof part === 'object' ? part.key : part)).join('.')
  return where === '' ? message : `${where}: ${message}`
}
