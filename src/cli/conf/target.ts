import type { Role } from '../doctor/facts.ts'

export type { Role } from '../doctor/facts.ts'

/** The server that a configuration is for. */
export interface ConfTarget {
  readonly role: Role
  readonly memoryBytes: number
  readonly cores: number
  readonly server: ServerVersion
  readonly eviction: 'lfu' | 'lru'
  readonly activeDefrag: boolean
  readonly tls: boolean
  /** Shows the ACL rules for this namespace. */
  readonly namespace: string
}

export interface ServerVersion {
  readonly kind: 'redis' | 'valkey'
  readonly major: number
  readonly minor: number
}

const oldestRedis = 7
const oldestValkey = 7

/** `7.0`, `8`, `valkey-8.0`. Undefined for what is none, or is older than Leasehold supports. */
export function parseServerVersion(text: string): ServerVersion | undefined {
  const [, valkey, major, minor] = /^(?:redis-)?(valkey-)?(\d{1,2})(?:\.(\d{1,2}))?(?:\.\d{1,3})?$/.exec(text) ?? []
  if (major === undefined) return undefined
  const version: ServerVersion = {
    kind: valkey === undefined ? 'redis' : 'valkey',
    major: Number(major),
    minor: Number(minor ?? 0),
  }
  return version.major >= (version.kind === 'redis' ? oldestRedis : oldestValkey) ? version : undefined
}

export function versionText({ kind, major, minor }: ServerVersion): string {
  return `${kind === 'redis' ? 'Redis' : 'Valkey'} ${major}.${minor}`
}
