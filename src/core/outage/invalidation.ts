import { keyId } from '../flights/flights.ts'
import type { EntryKey } from '../ports.ts'

/** Something that the store is told so that what it holds is not answered any more. Each may be told again freely. */
export type Invalidation =
  | KeyInvalidation
  | { readonly kind: 'tag'; readonly tag: string }
  /** The whole namespace. */
  | { readonly kind: 'clear' }

export interface KeyInvalidation {
  /** `remove`: a `delete`, or a `set` that did not get through. */
  readonly kind: 'remove' | 'expire'
  readonly key: EntryKey
}

/** What is told once however often it was asked for. A key has one, whether it is removed or expired. */
export function subjectOf(invalidation: Invalidation): string {
  switch (invalidation.kind) {
    case 'remove':
    case 'expire':
      return keyId(invalidation.key)
    case 'tag':
      return `t:${invalidation.tag}`
    case 'clear':
      return 'clear'
  }
}

/** Whether who has been told `one` need not be told `other`, of the same subject: who removes need not expire. */
export function covers(one: Invalidation, other: Invalidation): boolean {
  return one.kind === other.kind || one.kind === 'remove'
}

/** The stronger of two of one subject. */
export function strongerOf(one: Invalidation, other: Invalidation | undefined): Invalidation {
  return other !== undefined && covers(other, one) ? other : one
}

/** A copy that keeps nothing else of its caller alive. */
export function copyOf(invalidation: Invalidation): Invalidation {
  if (invalidation.kind !== 'remove' && invalidation.kind !== 'expire') return invalidation
  const { kind, key } = invalidation
  return { kind, key: { key: key.key, version: key.version } }
}
