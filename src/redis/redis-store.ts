import { StoreError } from '../core/errors.ts'
import type {
  AcquireReply,
  AcquireRequest,
  CommitReply,
  Confirmation,
  ConfirmRequest,
  CommitRequest,
  Deadline,
  EntryKey,
  KeyRequest,
  Marker,
  PutReply,
  PutRequest,
  ReleaseRequest,
  RenewRequest,
  StampRequest,
  Store,
  StoreContext,
  StoredBytes,
  NewestTagRequest,
  TagsRequest,
  Token,
} from '../core/ports.ts'
import type { Connections } from './connections.ts'
import { withDeadline } from './deadline.ts'
import { commandFailure, unreachable } from './failures.ts'
import { Keys } from './keys.ts'
import { NamespaceCommands } from './namespace-commands.ts'
import { parseAcquireReply, parseCommitReply, parseFlag, parsePutReply } from './replies.ts'
import { reach } from './routed-command.ts'
import { readByNode } from './reads-by-node.ts'
import type { Router } from './router.ts'
import { acquire, commit, expire, put, release, remove, renew } from './scripts.gen.ts'
import { closed, SlotCommands } from './slot-commands.ts'
import type { StoreNode } from './store-node.ts'
import type { Target } from './target.ts'

/** One namespace in Redis. */
export class RedisStore implements Store {
  readonly #connections: Connections
  readonly #router: Router
  readonly #keys: Keys
  readonly #listeners: StoreContext['listeners']
  readonly #commands: SlotCommands
  readonly #namespace: NamespaceCommands
  readonly #usesTls: boolean
  readonly #unwatch: (() => void) | undefined

  constructor(connections: Connections, target: Target, context: StoreContext) {
    this.#connections = connections
    this.#router = connections.router
    this.#usesTls = target.kind === 'single' && target.client.options.tls !== undefined && target.client.options.tls !== null
    this.#keys = new Keys(context.namespace, target.keyPrefix, target.database, context.maxKeyBytes)
    this.#commands = new SlotCommands(connections.router, connections.clock)
    this.#namespace = new NamespaceCommands(this.#commands, this.#keys, context.random)
    // Its own object, so that one context may be opened twice.
    this.#listeners = { ...context.listeners }
    connections.join(this.#keys.channel, this.#listeners)
    this.#unwatch = context.changes === undefined ? undefined : connections.watch(this.#keys.changes, context.changes)
  }

  now(key: EntryKey): number {
    return this.#owner(key)?.now() ?? NaN
  }

  /** NaN before the server's time is known: the command then finds its own when it leaves. */
  notAfter(key: EntryKey, timeoutMs: number): number {
    return Math.floor((this.#owner(key)?.earliest() ?? NaN) + timeoutMs)
  }

  wakeId(key: EntryKey): string {
    return this.#keys.wakeId(key)
  }

  async ready(key: EntryKey, timeoutMs: number): Promise<void> {
    if (this.#commands.closed) throw closed()
    const slot = this.#slot(key)
    try {
      await withDeadline(this.#connections.clock, 'a call', timeoutMs, () => reach(this.#router, slot, 'scripts'))
    } catch (error) {
      // A server without TLS waits for a command, and we for a handshake: nobody will ever say what is wrong.
      if (this.#usesTls && this.#owner(key)?.scripts.firstAttempt !== undefined)
        throw unreachable('no TLS handshake; does it speak TLS?')
      throw error
    }
  }

  read(key: EntryKey, timeoutMs: number): Promise<Buffer | null> {
    const value = this.#keys.value(key)
    if (!this.#router.clustered) return this.#commands.read(0, value, timeoutMs, this.#namespace.record)
    return this.#withRecord(timeoutMs, this.#commands.read(this.#slot(key), value, timeoutMs))
  }

  readHeader(key: EntryKey, timeoutMs: number): Promise<Buffer | null> {
    const value = this.#keys.value(key)
    if (!this.#router.clustered) return this.#commands.read(0, value, timeoutMs, this.#namespace.record, 'headers')
    return this.#withRecord(timeoutMs, this.#commands.read(this.#slot(key), value, timeoutMs, undefined, 'headers'))
  }

  /** In a cluster the record is at a server of its own, and the reads of one tick share one command for it. */
  async #withRecord<Reply>(timeoutMs: number, reply: Promise<Reply>): Promise<Reply> {
    const [found] = await Promise.all([reply, this.#namespace.readRecord(timeoutMs)])
    return found
  }

  async readMany(keys: readonly EntryKey[], timeoutMs: number): Promise<readonly StoredBytes[]> {
    if (this.#commands.closed) throw closed()
    const usable = (key: EntryKey): StoreNode | undefined => {
      const node = this.#owner(key)
      return node?.reads.usable === true && node.breaker.closed ? node : undefined
    }
    const along = this.#router.clustered ? undefined : this.#namespace.record
    const found = readByNode(keys, usable, async (node, group) => {
      if (node !== undefined) {
        const values = group.map(key => this.#keys.value(key))
        return node.batch.readMany(values, timeoutMs, along)
      }
      // Those wait for the first attempt to connect, or find out why there is no connection.
      return Promise.all(group.map(key => this.read(key, timeoutMs).catch((error: unknown) => commandFailure('a read', error))))
    })
    if (along !== undefined) return found
    try {
      return await this.#withRecord(timeoutMs, found)
    } catch (error) {
      // None of them can be vouched for without the record.
      const failure = commandFailure('a read', error)
      return keys.map(() => failure)
    }
  }

  sinceReplyMs(key: EntryKey): number {
    return this.#connections.clock.now() - (this.#owner(key)?.repliedAt ?? -Infinity)
  }

  get namespaceRecord(): Buffer | null {
    return this.#namespace.record.bytes
  }

  stamp(request: StampRequest): Promise<Buffer> {
    return this.#namespace.stamp(request)
  }

  newestTag(request: NewestTagRequest): Promise<number> {
    return this.#namespace.newestTag(request)
  }

  bumpTags(request: TagsRequest): Promise<void> {
    return this.#namespace.bumpTags(request)
  }

  clear(timeoutMs: number): Promise<void> {
    return this.#namespace.clear(timeoutMs)
  }

  async confirm(request: ConfirmRequest): Promise<Confirmation> {
    const node = this.#owner(request)
    if (this.#commands.closed || node === undefined)
      return { confirmed: 0, attached: undefined, failure: this.#commands.closed ? closed() : this.#router.fault }
    return node.replicas.confirm(this.#keys.mark(request), request.replicas, request.timeoutMs)
  }

  pulse(timeoutMs: number): Promise<void> {
    return this.#namespace.pulse(timeoutMs)
  }

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    const { timeoutMs, notAfter } = Number.isNaN(request.notAfter) ? await this.#timed(request) : request
    const { token, seen, dead, wait } = request
    const args = [
      token,
      wholeMs(request.leaseMs),
      notAfter,
      seen === 'any' ? '*' : joined(seen),
      joined(dead),
      wait ? '1' : '0',
    ] as const
    return parseAcquireReply(
      await this.#commands.runAdmitted(acquire, this.#slot(request), timeoutMs, this.#pair(request), [...args]),
    )
  }

  async renew(request: RenewRequest): Promise<boolean> {
    const { token, leaseMs, timeoutMs } = request
    return parseFlag(
      'renew',
      await this.#commands.run(renew, this.#slot(request), timeoutMs, [this.#keys.lease(request)], [token, wholeMs(leaseMs)]),
    )
  }

  async commit(request: CommitRequest): Promise<CommitReply> {
    const { timeoutMs, notAfter } = Number.isNaN(request.notAfter) ? await this.#timed(request) : request
    const { token, bytes, keepMs } = request
    const { channel, changes } = this.#keys
    const args = [token, bytes, wholeMs(keepMs), notAfter, channel, this.#keys.message(request), changes] as const
    const keys = [...this.#pair(request), ...this.#counter] as const
    return parseCommitReply(await this.#commands.runAdmitted(commit, this.#slot(request), timeoutMs, [...keys], [...args]))
  }

  async release(request: ReleaseRequest): Promise<boolean> {
    const { token, marker, timeoutMs } = request
    const markerMs = marker.kind === 'none' ? 0 : wholeMs(marker.markerMs)
    const args = [token, markerText(marker), markerMs, this.#keys.channel, this.#keys.message(request)] as const
    return parseFlag(
      'release',
      await this.#commands.run(release, this.#slot(request), timeoutMs, [this.#keys.lease(request)], [...args]),
    )
  }

  async put(request: PutRequest): Promise<PutReply> {
    const { timeoutMs, notAfter } = Number.isNaN(request.notAfter) ? await this.#timed(request) : request
    const { bytes, keepMs } = request
    const messages = this.#keys.familyMessages(request)
    const args = [bytes, wholeMs(keepMs), notAfter, this.#keys.channel, this.#keys.changes] as const
    return parsePutReply(
      await this.#commands.run(put, this.#slot(request), timeoutMs, this.#family(request), [...args, ...messages]),
    )
  }

  async remove(request: KeyRequest): Promise<void> {
    const args = [this.#keys.channel, this.#keys.changes, ...this.#keys.familyMessages(request)] as const
    parseFlag(
      'remove',
      await this.#commands.run(remove, this.#slot(request), request.timeoutMs, this.#family(request), [...args]),
    )
  }

  async expire(request: KeyRequest): Promise<boolean> {
    const args = [this.#keys.channel, this.#keys.changes, ...this.#keys.familyMessages(request)] as const
    return parseFlag(
      'expire',
      await this.#commands.run(expire, this.#slot(request), request.timeoutMs, this.#family(request), [...args]),
    )
  }

  async close(): Promise<void> {
    if (this.#commands.closed) return
    this.#commands.close()
    this.#unwatch?.()
    await this.#connections.leave(this.#keys.channel, this.#listeners)
  }

  #slot(key: EntryKey): number {
    return this.#router.clustered ? this.#keys.slot(key) : 0
  }

  #owner(key: EntryKey): StoreNode | undefined {
    return this.#router.owner(this.#slot(key))
  }

  /** In a cluster the scripts reach no key beside their own, so nothing counts the changes. */
  get #counter(): string[] {
    return this.#router.clustered ? [] : [this.#keys.counter]
  }

  #family(key: EntryKey): [value: string, lease: string, ...neighbours: string[]] {
    return [...this.#keys.family(key), ...this.#counter]
  }

  #pair(key: EntryKey): [value: string, lease: string] {
    return [this.#keys.value(key), this.#keys.lease(key)]
  }

  /** The deadline of a request that could not be given a `notAfter`. */
  async #timed(request: EntryKey & Deadline): Promise<Deadline> {
    const { clock } = this.#connections
    const startedAt = clock.now()
    await this.ready(request, request.timeoutMs)
    const timeoutMs = Math.max(0, request.timeoutMs - (clock.now() - startedAt))
    const notAfter = this.notAfter(request, timeoutMs)
    if (Number.isNaN(notAfter)) throw new StoreError('STORE_UNAVAILABLE', 'not-executed', "Redis's time is not known yet")
    return { timeoutMs, notAfter }
  }
}

const maxErrorCodeLength = 64

function markerText(marker: Marker): string {
  if (marker.kind === 'none') return ''
  if (marker.kind === 'do-not-queue') return 'Q'
  return `C${marker.errorCode.replace(/[^\x20-\x7e]/g, '?').slice(0, maxErrorCodeLength)}`
}

/** Redis takes whole milliseconds above 0. */
function wholeMs(ms: number): number {
  return Math.max(1, Math.ceil(ms))
}

function joined(tokens: readonly Token[]): Buffer {
  return tokens.length === 1 ? (tokens[0] as Token) : Buffer.concat(tokens)
}
