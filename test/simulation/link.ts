import type {
  AcquireReply,
  AcquireRequest,
  CommitReply,
  CommitRequest,
  Deadline,
  EntryKey,
  KeyRequest,
  PutReply,
  PutRequest,
  ReleaseRequest,
  RenewRequest,
  StampRequest,
  Store,
  StoreContext,
  NewestTagRequest,
  TagsRequest,
  Token,
} from '../../src/index.ts'
import { StoreError } from '../../src/index.ts'
import { headerBytes } from '../../src/codec/header.ts'
import { epochBytes } from '../../src/core/tags/namespace-record.ts'
import type { MemoryServer } from '../../src/memory/memory-server.ts'
import { LinkBus } from './link-bus.ts'
import { LinkIdentity } from './link-identity.ts'
import { LinkTime } from './link-time.ts'
import { renewing } from './load-rules.ts'
import { Message, type Request as StoreRequest } from './message.ts'
import { fateOf } from './network.ts'
import type { Command } from './plan.ts'
import type { SimulatedProcess } from './process.ts'
import { namespace } from './server.ts'
import type { World } from './world.ts'

/** One process's way to the store. It loses, delays and repeats as the plan says, and fails as the Redis store does. */
export class Link implements Store {
  readonly world: World
  readonly process: SimulatedProcess
  readonly bus: LinkBus
  readonly #context: StoreContext
  readonly #time: LinkTime
  readonly #identity: LinkIdentity
  readonly #underWay = new Set<Message>()
  readonly #sent = new Map<string, number>()
  #record: Buffer | null = null
  /** Of the acquire that was just called: the stamp that is asked for beside it belongs to it. */
  #acquiring: Token | undefined
  #asked = 0
  #answered = 0
  #connected = true
  #closed = false
  /** Until when nothing that is sent arrives. */
  #stuckUntil = 0

  constructor(world: World, process: SimulatedProcess, context: StoreContext) {
    this.world = world
    this.process = process
    this.#context = context
    this.#identity = new LinkIdentity(this, () => {
      process.serverChanged()
      context.listeners.onServerChange?.()
    })
    this.#time = new LinkTime(this)
    this.#time.start()
    this.bus = new LinkBus(this, context)
  }

  get connected(): boolean {
    return this.#connected && !this.#closed
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether the process knows of the server's last start. */
  get knowsServer(): boolean {
    return this.#identity.isCurrent
  }

  /** No reply is heard before it is known whose it is. A command may have left before, as one does that a cluster redirects. */
  get helloMs(): number {
    return this.#identity.leftMs
  }

  get stuckMs(): number {
    return Math.max(0, this.#stuckUntil - this.world.now)
  }

  /** Which samples of the server's time it goes by; -1 while it has none. */
  get timeSource(): number {
    return this.#time.source
  }

  now(): number {
    return this.#time.now()
  }

  notAfter(_key: EntryKey, timeoutMs: number): number {
    return this.#time.notAfter(timeoutMs)
  }

  wakeId(key: EntryKey): string {
    return wakeIdOf(key)
  }

  ready(_key: EntryKey, timeoutMs: number): Promise<void> {
    return this.#closed ? Promise.reject(closed()) : this.#time.ready(timeoutMs)
  }

  get namespaceRecord(): Buffer | null {
    return this.#record
  }

  read(key: EntryKey, timeoutMs: number): Promise<Buffer | null> {
    return this.#read('read', key, timeoutMs, Infinity)
  }

  readHeader(key: EntryKey, timeoutMs: number): Promise<Buffer | null> {
    return this.#read('read-header', key, timeoutMs, headerBytes)
  }

  async #read(command: 'read' | 'read-header', key: EntryKey, timeoutMs: number, length: number): Promise<Buffer | null> {
    const { recordApart } = this.world.plan
    const asked = ++this.#asked
    const read = this.#send(command, { ...key, timeoutMs }, (server, now) => {
      const bytes = server.read(namespace, key, now)
      const record = recordApart ? null : server.record(namespace)
      return { bytes: bytes === undefined ? null : Buffer.from(bytes.subarray(0, length)), record }
    })
    const apart = recordApart ? this.#send('record', ofNamespace(timeoutMs), server => server.record(namespace)) : undefined
    const [{ bytes, record }, recordOfItsOwn] = await Promise.all([read, apart])
    this.#take(asked, recordOfItsOwn ?? record)
    return bytes
  }

  stamp(request: StampRequest): Promise<Buffer> {
    const epoch = this.#epoch()
    const beside = this.#acquiring
    this.#acquiring = undefined
    return this.#send('stamp', { ...request, ...ofNamespace(request.timeoutMs), beside }, (server, now) =>
      server.stamp(namespace, request, epoch, now),
    )
  }

  newestTag(request: NewestTagRequest): Promise<number> {
    return this.#send('newest-tag', { ...request, ...ofNamespace(request.timeoutMs) }, server =>
      server.newestTag(namespace, request),
    )
  }

  bumpTags(request: TagsRequest): Promise<void> {
    const epoch = this.#epoch()
    return this.#send('bump-tags', { ...request, ...ofNamespace(request.timeoutMs) }, (server, now) =>
      server.bumpTags(namespace, request, epoch, now),
    )
  }

  clear(timeoutMs: number): Promise<void> {
    const epoch = this.#epoch()
    return this.#send('clear', ofNamespace(timeoutMs), (server, now) => server.clear(namespace, epoch, now))
  }

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    this.process.waiting.asks(request)
    this.#acquiring = request.token
    const timed = await this.#timed(request)
    return this.#send('acquire', timed, (server, now) => server.acquire(namespace, timed, now))
  }

  renew(request: RenewRequest): Promise<boolean> {
    renewing(this.process, request)
    this.process.waiting.uses(request)
    return this.#send('renew', request, (server, now) => server.renew(namespace, request, now))
  }

  async commit(request: CommitRequest): Promise<CommitReply> {
    this.process.waiting.uses(request)
    const timed = await this.#timed(request)
    return this.#send('commit', timed, (server, now) => server.commit(namespace, timed, now))
  }

  release(request: ReleaseRequest): Promise<boolean> {
    this.process.waiting.released(request)
    return this.#send('release', request, (server, now) => server.release(namespace, request, now))
  }

  async put(request: PutRequest): Promise<PutReply> {
    const timed = await this.#timed(request)
    return this.#send('put', timed, (server, now) => server.put(namespace, timed, now))
  }

  remove(request: KeyRequest): Promise<void> {
    return this.#send('remove', request, (server, now) => server.remove(namespace, request, now))
  }

  expire(request: KeyRequest): Promise<boolean> {
    return this.#send('expire', request, (server, now) => server.expire(namespace, request, now))
  }

  async pulse(timeoutMs: number): Promise<void> {
    // The connection is set up by asking for the time.
    await this.ready(noKey, timeoutMs)
    await this.#send('pulse', ofNamespace(timeoutMs), () => this.world.changes.pulse())
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#time.stop()
  }

  stick(ms: number): void {
    this.#stuckUntil = Math.max(this.#stuckUntil, this.world.now + ms)
  }

  disconnect(): void {
    if (!this.#connected || this.#closed) return
    this.#connected = false
    this.#identity.lose()
    for (const message of this.#underWay) message.cut()
    this.#underWay.clear()
    this.#time.lose()
    this.bus.lose(1)
    this.world.scheduler.after(1, () => this.#context.listeners.onReady(false), this.process)
  }

  reconnect(): void {
    if (this.#connected || this.#closed) return
    this.#connected = true
    this.#time.restart()
    this.bus.restore(2)
    this.#identity.ask(() => this.#context.listeners.onReady(true))
  }

  /** As the Redis store does, waits for the server's time if a deadline needs it. */
  async #timed<Request extends EntryKey & Deadline>(request: Request): Promise<Request> {
    if (!Number.isNaN(request.notAfter)) return request
    const startedAt = this.process.clock.now()
    await this.ready(request, request.timeoutMs)
    const timeoutMs = Math.max(0, request.timeoutMs - (this.process.clock.now() - startedAt))
    return { ...request, timeoutMs, notAfter: this.#time.notAfter(timeoutMs) }
  }

  #send<Reply>(command: Command, request: StoreRequest, execute: (server: MemoryServer, now: number) => Reply): Promise<Reply> {
    if (this.#closed) return Promise.reject(closed())
    const nth = this.#count(command)
    if (!this.#connected) {
      this.world.coverage.count(`fault refused ${command}`)
      return Promise.reject(new StoreError('STORE_UNAVAILABLE', 'not-executed', 'the connection is down'))
    }
    const fate = fateOf(this.world, this.process.name, command, nth)
    return new Promise((resolve, reject) => {
      const message = new Message({
        link: this,
        command,
        request,
        fate,
        execute,
        resolve: resolve as (reply: unknown) => void,
        reject,
        forget: () => this.#underWay.delete(message),
      })
      this.#underWay.add(message)
      message.send()
    })
  }

  #epoch(): Buffer {
    return this.#context.random.token().subarray(0, epochBytes)
  }

  /** As the Redis store does: replies may come in another order than their commands went. */
  #take(asked: number, record: Buffer | null): void {
    if (asked < this.#answered) return
    this.#answered = asked
    this.#record = record
  }

  #count(command: Command): number {
    const nth = (this.#sent.get(command) ?? 0) + 1
    this.#sent.set(command, nth)
    return nth
  }
}

const noKey: EntryKey = { key: '', version: 0 }

function ofNamespace(timeoutMs: number): StoreRequest {
  return { ...noKey, timeoutMs }
}

function wakeIdOf({ key, version }: EntryKey): string {
  return `${version}:${key}`
}

function closed(): StoreError {
  return new StoreError('STORE_UNAVAILABLE', 'not-executed', 'the store is closed')
}
