import { StoreError } from '../core/errors.ts'
import type {
  AcquireReply,
  AcquireRequest,
  CommitReply,
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
  TagsRequest,
  Token,
} from '../core/ports.ts'
import { shed } from './breaker.ts'
import { epochBytes, isRecord, outlives, secondsOf } from '../core/tags/namespace-record.ts'
import { mostTableTags, prunedPerBump } from '../core/tags/tag-table.ts'
import type { Connections } from './connections.ts'
import { withDeadline } from './deadline.ts'
import { commandFailure, notConnected, unreachable } from './failures.ts'
import { Keys } from './keys.ts'
import { NamespaceRecord } from './namespace-record.ts'
import { parseAcquireReply, parseCommitReply, parseFlag, parsePutReply, parseRecord } from './replies.ts'
import { reach, sendRouted } from './routed-command.ts'
import { readByNode } from './reads-by-node.ts'
import type { Router } from './router.ts'
import { runScript } from './script-runner.ts'
import type { Script, ScriptArgument } from './script.ts'
import { acquire, bumpTags, clear, commit, expire, pulse, put, release, remove, renew, stamp } from './scripts.gen.ts'
import type { StoreNode } from './store-node.ts'
import { TagLookup } from './tag-lookup.ts'
import type { Target } from './target.ts'

/** A little less than the second after which everybody asks again. */
const pulseYoungMs = 900

/** One namespace in Redis. */
export class RedisStore implements Store {
  readonly #connections: Connections
  readonly #router: Router
  readonly #keys: Keys
  readonly #listeners: StoreContext['listeners']
  readonly #record: NamespaceRecord
  readonly #tagLookup: TagLookup
  readonly #random: StoreContext['random']
  readonly #usesTls: boolean
  readonly #unwatch: (() => void) | undefined
  #closed = false

  constructor(connections: Connections, target: Target, context: StoreContext) {
    this.#connections = connections
    this.#router = connections.router
    this.#usesTls = target.kind === 'single' && target.client.options.tls !== undefined && target.client.options.tls !== null
    this.#keys = new Keys(context.namespace, target.keyPrefix, target.database, context.maxKeyBytes)
    this.#record = new NamespaceRecord(this.#keys.record)
    this.#tagLookup = new TagLookup((tags, timeoutMs) => this.#scores(tags, timeoutMs))
    this.#random = context.random
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
    if (this.#closed) throw closed()
    if (this.#owner(key)?.timeKnown === true) return
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
    if (!this.#router.clustered) return this.#readAt(0, value, timeoutMs, this.#record)
    return this.#withRecord(timeoutMs, this.#readAt(this.#slot(key), value, timeoutMs))
  }

  #readAt(slot: number, key: string, timeoutMs: number, record?: NamespaceRecord): Promise<Buffer | null> {
    if (this.#closed) return Promise.reject(closed())
    const node = this.#router.owner(slot)
    if (node?.reads.usable === true && node.breaker.closed) return node.batch.read(key, timeoutMs, record)
    if (node?.breaker.admits() === false) return Promise.reject(shed())
    return withDeadline(this.#connections.clock, 'a read', timeoutMs, async time => {
      const reached = await reach(this.#router, slot, 'reads')
      if (time.expired) throw notConnected()
      time.inFlight = true
      return reached.batch.read(key, time.remainingMs(), record)
    })
  }

  /** In a cluster the record is at a server of its own, and the reads of one tick share one command for it. */
  async #withRecord<Reply>(timeoutMs: number, reply: Promise<Reply>): Promise<Reply> {
    const [found] = await Promise.all([reply, this.#readRecord(timeoutMs)])
    return found
  }

  async #readRecord(timeoutMs: number): Promise<Buffer | null> {
    const asked = this.#record.ask()
    const bytes = await this.#readAt(this.#namespaceSlot, this.#keys.record, timeoutMs)
    this.#record.take(asked, bytes)
    return bytes
  }

  async readMany(keys: readonly EntryKey[], timeoutMs: number): Promise<readonly StoredBytes[]> {
    if (this.#closed) throw closed()
    const usable = (key: EntryKey): StoreNode | undefined => {
      const node = this.#owner(key)
      return node?.reads.usable === true && node.breaker.closed ? node : undefined
    }
    const along = this.#router.clustered ? undefined : this.#record
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

  get namespaceRecord(): Buffer | null {
    return this.#record.bytes
  }

  async stamp({ keepMs, timeoutMs }: StampRequest): Promise<Buffer> {
    const { clock } = this.#connections
    const endsAt = clock.now() + timeoutMs
    const found = await this.#readRecord(timeoutMs)
    if (isRecord(found) && !outlives(keepMs, found)) return found
    const asked = this.#record.ask()
    const leftMs = Math.max(1, endsAt - clock.now())
    const made = parseRecord(await this.#runOnNamespace(stamp, leftMs, [this.#epoch(), this.#keys.changes, secondsOf(keepMs)]))
    this.#record.take(asked, made)
    return made
  }

  newestTag({ tags, timeoutMs }: TagsRequest): Promise<number> {
    return this.#tagLookup.newest(tags, timeoutMs)
  }

  async bumpTags({ tags, timeoutMs }: TagsRequest): Promise<void> {
    const args = [this.#epoch(), this.#keys.changes, mostTableTags, prunedPerBump, ...tags] as const
    parseFlag('bump-tags', await this.#runOnNamespace(bumpTags, timeoutMs, [...args]))
  }

  async clear(timeoutMs: number): Promise<void> {
    parseFlag('clear', await this.#runOnNamespace(clear, timeoutMs, [this.#epoch(), this.#keys.changes]))
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
    return parseAcquireReply(await this.#run(acquire, request, timeoutMs, this.#pair(request), [...args]))
  }

  async renew(request: RenewRequest): Promise<boolean> {
    const { token, leaseMs, timeoutMs } = request
    return parseFlag('renew', await this.#run(renew, request, timeoutMs, [this.#keys.lease(request)], [token, wholeMs(leaseMs)]))
  }

  async commit(request: CommitRequest): Promise<CommitReply> {
    const { timeoutMs, notAfter } = Number.isNaN(request.notAfter) ? await this.#timed(request) : request
    const { token, bytes, keepMs } = request
    const { channel, changes } = this.#keys
    const args = [token, bytes, wholeMs(keepMs), notAfter, channel, this.#keys.message(request), changes] as const
    const keys = [...this.#pair(request), ...this.#counter] as const
    return parseCommitReply(await this.#run(commit, request, timeoutMs, [...keys], [...args]))
  }

  async release(request: ReleaseRequest): Promise<boolean> {
    const { token, marker, timeoutMs } = request
    const markerMs = marker.kind === 'none' ? 0 : wholeMs(marker.markerMs)
    const args = [token, markerText(marker), markerMs, this.#keys.channel, this.#keys.message(request)] as const
    return parseFlag('release', await this.#run(release, request, timeoutMs, [this.#keys.lease(request)], [...args]))
  }

  async put(request: PutRequest): Promise<PutReply> {
    const { timeoutMs, notAfter } = Number.isNaN(request.notAfter) ? await this.#timed(request) : request
    const { bytes, keepMs } = request
    const messages = this.#keys.familyMessages(request)
    const args = [bytes, wholeMs(keepMs), notAfter, this.#keys.channel, this.#keys.changes] as const
    return parsePutReply(await this.#run(put, request, timeoutMs, this.#family(request), [...args, ...messages]))
  }

  async remove(request: KeyRequest): Promise<void> {
    const args = [this.#keys.channel, this.#keys.changes, ...this.#keys.familyMessages(request)] as const
    parseFlag('remove', await this.#run(remove, request, request.timeoutMs, this.#family(request), [...args]))
  }

  async expire(request: KeyRequest): Promise<boolean> {
    const args = [this.#keys.channel, this.#keys.changes, ...this.#keys.familyMessages(request)] as const
    return parseFlag('expire', await this.#run(expire, request, request.timeoutMs, this.#family(request), [...args]))
  }

  async pulse(timeoutMs: number): Promise<void> {
    const { pulse: gate, counter, changes } = this.#keys
    parseFlag('pulse', await this.#run(pulse, { key: '', version: 0 }, timeoutMs, [gate, counter], [pulseYoungMs, changes]))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#unwatch?.()
    await this.#connections.leave(this.#keys.channel, this.#listeners)
  }

  get #namespaceSlot(): number {
    return this.#router.clustered ? this.#keys.namespaceSlot : 0
  }

  #epoch(): Buffer {
    return this.#random.token().subarray(0, epochBytes)
  }

  #scores(tags: readonly string[], timeoutMs: number): Promise<readonly unknown[]> {
    if (this.#closed) return Promise.reject(closed())
    const slot = this.#namespaceSlot
    if (this.#router.owner(slot)?.breaker.admits() === false) return Promise.reject(shed())
    const name = 'a look-up of tags'
    return withDeadline(this.#connections.clock, name, timeoutMs, time =>
      sendRouted(this.#router, slot, 'reads', name, time, redis => redis.callBuffer('zmscore', this.#keys.tagTable, ...tags)),
    ) as Promise<readonly unknown[]>
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

  #run<Keys extends readonly string[], Arguments extends readonly ScriptArgument[]>(
    script: Script<Keys, Arguments>,
    key: EntryKey,
    timeoutMs: number,
    keys: Keys,
    args: Arguments,
  ): Promise<unknown> {
    const slot = this.#slot(key)
    if (!this.#closed && isFill(script) && this.#router.owner(slot)?.breaker.admits() === false) return Promise.reject(shed())
    return this.#runAt(script, slot, timeoutMs, keys, args)
  }

  #runOnNamespace<Arguments extends readonly ScriptArgument[]>(
    script: Script<[record: string, table: string, ...counter: string[]], Arguments>,
    timeoutMs: number,
    args: Arguments,
  ): Promise<unknown> {
    return this.#runAt(script, this.#namespaceSlot, timeoutMs, [this.#keys.record, this.#keys.tagTable, ...this.#counter], args)
  }

  #runAt<Keys extends readonly string[], Arguments extends readonly ScriptArgument[]>(
    script: Script<Keys, Arguments>,
    slot: number,
    timeoutMs: number,
    keys: Keys,
    args: Arguments,
  ): Promise<unknown> {
    if (this.#closed) return Promise.reject(closed())
    return withDeadline(this.#connections.clock, script.name, timeoutMs, time =>
      sendRouted(this.#router, slot, 'scripts', script.name, time, redis => runScript(redis, script, keys, args)),
    )
  }
}

/** A `put` revokes as well as it stores, so it is none. */
function isFill({ name }: { readonly name: string }): boolean {
  return name === acquire.name || name === commit.name
}

function closed(): StoreError {
  return new StoreError('STORE_UNAVAILABLE', 'not-executed', 'The store is closed')
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
