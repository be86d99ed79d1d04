import { describeValue } from '../describe-value.ts'
import { LeaseholdError } from '../errors.ts'

/** How many tags an entry may have, and how long each may be in UTF-8: together they bound what an entry carries. */
export const mostTags = 64
const mostTagBytes = 255

/** What a tag may be, in words. */
export const tagAllowed: string = `a well-formed string of 1 to ${mostTagBytes} bytes in UTF-8`

const loneSurrogate = /\p{Surrogate}/u

/** Whether it can be a tag. */
export function isTag(tag: unknown): tag is string {
  if (typeof tag !== 'string' || tag === '' || tag.length > mostTagBytes) return false
  // No code unit takes more than three bytes.
  return (tag.length * 3 <= mostTagBytes || Buffer.byteLength(tag) <= mostTagBytes) && !loneSurrogate.test(tag)
}

/** @throws LeaseholdError `INVALID_TAG` */
export function checkTag(tag: unknown, key?: string): string {
  if (isTag(tag)) return tag
  throw new LeaseholdError('INVALID_TAG', `a tag must be ${tagAllowed}; got ${describeValue(tag)}`, { option: 'tags', key })
}

/** Both, each tag once. Neither list is changed. */
export function unionOf(tags: readonly string[], more: readonly string[]): readonly string[] {
  return more.length === 0 ? tags : [...new Set([...tags, ...more])]
}
