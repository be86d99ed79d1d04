import { partitionOf } from './partition.ts'

export interface StoredKey {
  /** The namespace, behind the client's key prefix if there is one. */
  readonly owner: string
  /** An entry, a lease or marker, the namespace's record, its tag table, the count of its changes, the mark of its last pulse. */
  readonly kind: 'value' | 'lease' | 'record' | 'tags' | 'changes' | 'pulse'
  readonly version: number
  /** The key as the application spells it, or its readable beginning and its hash. Empty for what belongs to no key. */
  readonly key: string
  readonly hashed: boolean
  /** Whether the key lies in the partition where it is looked for. */
  readonly inPlace: boolean
}

const ofKey = /^([^]*?[A-Za-z0-9_.-]):\{p(\d{4})\}:([vl])([1-9]\d{0,4}|):([^]+)$/
const ofNamespace = /^([^]*?[A-Za-z0-9_.-]):\{t\}:([ntcp])$/
const namespaceKinds: Readonly<Record<string, StoredKey['kind']>> = { n: 'record', t: 'tags', c: 'changes', p: 'pulse' }
const hash = /:%h[A-Za-z0-9_-]{43}$/

/** What a Redis key is in the layout of {@link Keys}; undefined when it is none of it. */
export function parseKey(redisKey: string): StoredKey | undefined {
  const [, owner, partition, kind, version, suffix] = ofKey.exec(redisKey) ?? []
  if (owner === undefined || suffix === undefined) return parseNamespaceKey(redisKey)
  const hashed = hash.test(suffix)
  const key = hashed ? suffix : unescapeKey(suffix)
  return {
    owner,
    kind: kind === 'v' ? 'value' : 'lease',
    version: Number(version),
    key,
    hashed,
    inPlace: hashed || partitionOf(key) === Number(partition),
  }
}

function parseNamespaceKey(redisKey: string): StoredKey | undefined {
  const [, owner, letter = ''] = ofNamespace.exec(redisKey) ?? []
  const kind = namespaceKinds[letter]
  if (owner === undefined || kind === undefined) return undefined
  return { owner, kind, version: 0, key: '', hashed: false, inPlace: true }
}

/** The text before `escapeKey`. */
export function unescapeKey(suffix: string): string {
  return suffix.replace(/%u([0-9A-F]{4})|%([0-9A-F]{2})/g, (_, wide: string | undefined, narrow: string | undefined) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow ?? '', 16)),
  )
}
