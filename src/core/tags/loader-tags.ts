import { LeaseholdError } from '../errors.ts'
import { describeValue } from '../describe-value.ts'
import { checkTag, mostTags } from './check-tags.ts'

/** The tags of the value that a loader is computing: what the call named, and what the loader found. */
export class LoaderTags {
  readonly #key: string
  #tags: readonly string[]

  constructor(key: string, named: readonly string[]) {
    this.#key = key
    this.#tags = named
  }

  get all(): readonly string[] {
    return this.#tags
  }

  /** @throws LeaseholdError `INVALID_TAG`; then none of them is added */
  add(...tags: readonly string[]): void {
    const all = new Set(this.#tags)
    for (const tag of tags) all.add(checkTag(tag, this.#key))
    if (all.size > mostTags) {
      const message = `the value of ${describeValue(this.#key)} would have ${all.size} tags, more than ${mostTags}; name what changes together by one tag`
      throw new LeaseholdError('INVALID_TAG', message, { option: 'tags', key: this.#key })
    }
    this.#tags = [...all]
  }
}
