import { hasHeader, isFreshAt, markExpired, peekToken } from '../codec/header.ts'
import type {
  AcquireReply,
  AcquireRequest,
  CommitReply,
  CommitRequest,
  EntryKey,
  PutReply,
  PutRequest,
  ReleaseRequest,
  RenewRequest,
  StampRequest,
  NewestTagRequest,
  TagsRequest,
  Token,
} from '../core/ports.ts'
import type { Lease, LeaseState, LeaseTable } from './lease-table.ts'
import { bump, clear, newestOf, stamp, type NamespaceTable } from './namespace-table.ts'
import type { ValueTable } from './value-table.ts'

/** Tells everyone in `namespace` that a lease someone waits for has ended. */
export type Wake = (namespace: string, key: EntryKey) => void

/** What the server tells those in a namespace who keep copies: that another value stands at a key, or none; or more than that. */
export type ServerChange =
  | { readonly kind: 'key'; readonly key: EntryKey; readonly token: Token | undefined }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'clear' }
export type Announce = (namespace: string, change: ServerChange) => void

/** Where the server keeps entries, leases, and what it knows of each namespace. Of the first two either may refuse to take one more. */
export interface Tables {
  readonly values: Pick<ValueTable, 'get' | 'set' | 'delete'>
  readonly leases: Pick<LeaseTable, 'get' | 'set' | 'restate' | 'delete'>
  readonly namespaces: Pick<NamespaceTable, 'at'>
}

/** What the Redis scripts do, in this process: each method is one atomic step at server time `now`. */
export class MemoryServer {
  readonly #values: Tables['values']
  readonly #leases: Tables['leases']
  readonly #namespaces: Tables['namespaces']
  readonly #wake: Wake
  readonly #announce: Announce

  constructor({ values, leases, namespaces }: Tables, wake: Wake, announce: Announce) {
    this.#values = values
    this.#leases = leases
    this.#namespaces = namespaces
    this.#wake = wake
    this.#announce = announce
  }

  read(namespace: string, key: EntryKey, now: number): Buffer | undefined {
    return this.#values.get(idOf(namespace, key), now)
  }

  acquire(namespace: string, request: AcquireRequest, now: number): AcquireReply {
    if (now > request.notAfter) return { kind: 'late' }
    const id = idOf(namespace, request)
    const value = this.#values.get(id, now)
    if (value !== undefined && request.seen !== 'any' && isFreshAt(value, now)) {
      const token = tokenOf(value)
      if (token !== undefined && !includesToken(request.seen, token)) return { kind: 'value', bytes: Buffer.from(value) }
    }
    const lease = this.#leases.get(id, now)
    const state = lease?.state
    if (lease !== undefined && state?.kind === 'held' && !isOurs(state.token, request)) {
      if (state.mode === 'do-not-queue') return { kind: 'unqueued' }
      if (request.wait) this.#leases.restate(id, lease, { ...state, mode: 'waited' })
      return {
        kind: 'busy',
        remainingMs: lease.expiresAt - now,
        holder: Buffer.from(state.token),
        valueToken: copyOf(tokenOf(value)),
      }
    }
    if (lease !== undefined && state?.kind === 'cooldown') {
      return { kind: 'cooling', errorCode: state.errorCode, remainingMs: lease.expiresAt - now }
    }
    const token = Buffer.from(request.token)
    const granted = this.#leases.set(id, { kind: 'held', token, mode: modeAfter(state) }, request.leaseMs, now)
    return { kind: granted ? 'granted' : 'full' }
  }

  renew(namespace: string, request: RenewRequest, now: number): boolean {
    const id = idOf(namespace, request)
    const lease = this.#heldBy(id, request.token, now)
    if (lease === undefined) return false
    this.#leases.set(id, lease.state, request.leaseMs, now)
    return true
  }

  commit(namespace: string, request: CommitRequest, now: number): CommitReply {
    if (now > request.notAfter) return 'late'
    const id = idOf(namespace, request)
    const lease = this.#heldBy(id, request.token, now)
    if (lease === undefined) {
      return tokenOf(this.#values.get(id, now))?.equals(request.token) === true ? 'stored' : 'lost'
    }
    const stored = this.#values.set(id, request.bytes, request.keepMs, now)
    this.#endLease(namespace, request, lease)
    if (stored) this.#announce(namespace, { kind: 'key', key: request, token: request.token })
    return stored ? 'stored' : 'full'
  }

  release(namespace: string, request: ReleaseRequest, now: number): boolean {
    const id = idOf(namespace, request)
    const lease = this.#heldBy(id, request.token, now)
    if (lease === undefined) return false
    this.#endLease(namespace, request, lease)
    const { marker } = request
    if (marker.kind === 'do-not-queue') this.#leases.set(id, { kind: 'do-not-queue' }, marker.markerMs, now)
    if (marker.kind === 'cooldown') this.#leases.set(id, { kind: 'cooldown', errorCode: marker.errorCode }, marker.markerMs, now)
    return true
  }

  put(namespace: string, request: PutRequest, now: number): PutReply {
    if (now > request.notAfter) return 'late'
    const stored = this.#values.set(idOf(namespace, request), request.bytes, request.keepMs, now)
    for (const version of versionsBeside(request)) {
      const key = { key: request.key, version }
      this.#revoke(namespace, key, now)
      const isStored = stored && version === request.version
      if (!isStored) this.#values.delete(idOf(namespace, key))
      this.#announce(namespace, { kind: 'key', key, token: isStored ? tokenOf(request.bytes) : undefined })
    }
    return stored ? 'stored' : 'full'
  }

  remove(namespace: string, request: EntryKey, now: number): void {
    for (const version of versionsBeside(request)) {
      const key = { key: request.key, version }
      this.#revoke(namespace, key, now)
      this.#values.delete(idOf(namespace, key))
      this.#announce(namespace, { kind: 'key', key, token: undefined })
    }
  }

  expire(namespace: string, request: EntryKey, now: number): boolean {
    let marked = false
    for (const version of versionsBeside(request)) {
      const key = { key: request.key, version }
      this.#revoke(namespace, key, now)
      this.#announce(namespace, { kind: 'key', key, token: undefined })
      const bytes = this.#values.get(idOf(namespace, key), now)
      if (bytes === undefined || !hasHeader(bytes)) continue
      markExpired(bytes)
      if (version === request.version) marked = true
    }
    return marked
  }

  /** The namespace record. Nobody changes it: what raises it puts another in its place. */
  record(namespace: string): Buffer | null {
    return this.#namespaces.at(namespace).record ?? null
  }

  /** @param epoch Of the record that is made when there is none. */
  stamp(namespace: string, { keepMs }: Pick<StampRequest, 'keepMs'>, epoch: Buffer, now: number): Buffer {
    return stamp(this.#namespaces.at(namespace), keepMs, epoch, now)
  }

  newestTag(namespace: string, request: Pick<NewestTagRequest, 'epoch' | 'tags'>): number {
    return newestOf(this.#namespaces.at(namespace), request)
  }

  bumpTags(namespace: string, { tags }: Pick<TagsRequest, 'tags'>, epoch: Buffer, now: number): void {
    bump(this.#namespaces.at(namespace), tags, epoch, now)
    this.#announce(namespace, { kind: 'tags', tags })
  }

  clear(namespace: string, epoch: Buffer, now: number): void {
    clear(this.#namespaces.at(namespace), epoch, now)
    this.#announce(namespace, { kind: 'clear' })
  }

  #heldBy(id: string, token: Token, now: number): Lease | undefined {
    const lease = this.#leases.get(id, now)
    return lease?.state.kind === 'held' && lease.state.token.equals(token) ? lease : undefined
  }

  #revoke(namespace: string, key: EntryKey, now: number): void {
    const lease = this.#leases.get(idOf(namespace, key), now)
    if (lease !== undefined) this.#endLease(namespace, key, lease)
  }

  #endLease(namespace: string, key: EntryKey, lease: Lease): void {
    this.#leases.delete(idOf(namespace, key))
    if (lease.state.kind === 'held' && lease.state.mode === 'waited') this.#wake(namespace, key)
  }
}

/** A namespace has no NUL and a version no colon, so no two keys share an id. */
export function idOf(namespace: string, { key, version }: EntryKey): string {
  return `${namespace}\0${version}:${key}`
}

function versionsBeside({ version }: EntryKey): readonly number[] {
  return version > 0 ? [version, version - 1, version + 1] : [version, version + 1]
}

/** A new holder inherits who waits for the dead one, and the key's "do not queue" mark. */
function modeAfter(state: LeaseState | undefined): 'plain' | 'waited' | 'do-not-queue' {
  if (state?.kind === 'held') return state.mode
  return state?.kind === 'do-not-queue' ? 'do-not-queue' : 'plain'
}

/** Also true for the token itself: an acquire that arrives twice is granted twice. */
function isOurs(holder: Token, request: AcquireRequest): boolean {
  return holder.equals(request.token) || includesToken(request.dead, holder)
}

/** The token of an entry; other bytes have none. */
function tokenOf(value: Buffer | undefined): Token | undefined {
  return value !== undefined && hasHeader(value) ? peekToken(value) : undefined
}

function copyOf(token: Token | undefined): Token | undefined {
  return token === undefined ? undefined : Buffer.from(token)
}

function includesToken(tokens: readonly Token[], token: Token): boolean {
  return tokens.some(candidate => candidate.equals(token))
}
