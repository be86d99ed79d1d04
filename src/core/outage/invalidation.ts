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

/** The stronger of two of one subject: who has been told to remove need not be told to expire. */
export function strongerOf(one: Invalidation, other: Invalidation | undefined): Invalidation {
  return other?.kind === 'remove' ? other : one
}

/** A copy that keeps nothing else of its caller alive. */
export function copyOf(invalidation: Invalidation): Invalidation {
  if (invalidation.kind !== 'remove' && invalidation.kind !== 'expire') return invalidation
  const { kind, key } = invalidation
  return { kind, key: { key: key.key, version: key.version } }
}
