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

const oldest = 7
/** The last major versions whose settings are known. */
export const newest = { redis: 8, valkey: 9 } as const

/** `7.0`, `8`, `valkey-8.0`. Undefined for what is none, is older than Leasehold supports, or later than is known. */
export function parseServerVersion(text: string): ServerVersion | undefined {
  const [, valkey, major, minor] = /^(?:redis-)?(valkey-)?(\d{1,2})(?:\.(\d{1,2}))?(?:\.\d{1,3})?$/.exec(text) ?? []
  if (major === undefined) return undefined
  const version: ServerVersion = {
    kind: valkey === undefined ? 'redis' : 'valkey',
    major: Number(major),
    minor: Number(minor ?? 0),
  }
  return version.major >= oldest && version.major <= newest[version.kind] ? version : undefined
}

export function versionText({ kind, major, minor }: ServerVersion): string {
  return `${kind === 'redis' ? 'Redis' : 'Valkey'} ${major}.${minor}`
}
