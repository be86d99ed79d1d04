/** Tags that the call names, and tags that the loader finds. Every value of a key has one of each. */
const named = 2
const found = 3

export const tagCount: number = named + found

/** The number of the tag that calls for the key name. */
export function namedTag(key: number): number {
  return key % named
}

/** The number of the tag that is known only once the key has been loaded. */
export function foundTag(key: number): number {
  return named + (key % found)
}

/** Whether the key's values have the tag. */
export function isTagged(key: number, tag: number): boolean {
  return namedTag(key) === tag || foundTag(key) === tag
}

/** What a tag's number is called in the cache. */
export function tagName(tag: number): string {
  return `tag:${tag}`
}
