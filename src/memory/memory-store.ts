import { headerBytes } from '../codec/header.ts'
import { StoreError } from '../core/errors.ts'
import { invalidOption, unknownOption } from '../core/options/invalid-option.ts'
import type {
  AcquireReply,
  AcquireRequest,
  CommitReply,
  CommitRequest,
  EntryKey,
  KeyRequest,
  PutReply,
  PutRequest,
  ReleaseRequest,
  RenewRequest,
  StampRequest,
  Store,
  StoreContext,
  StoredBytes,
  StoreListeners,
  StoreProvider,
  NewestTagRequest,
  TagsRequest,
} from '../core/ports.ts'
import { epochBytes } from '../core/tags/namespace-record.ts'
import { ChangeBoard } from './change-board.ts'
import { LeaseTable } from './lease-table.ts'
import { MemoryServer } from './memory-server.ts'
import { NamespaceTable } from './namespace-table.ts'
import { ValueTable } from './value-table.ts'

export interface MemoryStoreOptions {
  /** What keys and values may take in memory together, in bytes. 1 KiB or more, default 64 MiB. */
  readonly maxBytes?: number
  /** How many entries are kept. Default: as many as `maxBytes` holds. */
  readonly maxEntries?: number
}

const defaultMaxBytes = 64 * 1024 * 1024
const smallest: Readonly<Record<keyof MemoryStoreOptions, number>> = { maxBytes: 1024, maxEntries: 1 }

/**
 * The embedded store: one process, no server. Caches of one namespace that were given the same provider share their entries and leases.
 * When memory is short the least recently used values go first; leases stay.
 *
 * @throws LeaseholdError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function memoryStore(options: MemoryStoreOptions = {}): StoreProvider {
  checkOptions(options)
  const { maxBytes = defaultMaxBytes, maxEntries } = options
  const audiences = new Map<string, Set<StoreListeners>>()
  const tables = { values: new ValueTable({ maxBytes, maxEntries }), leases: new LeaseTable(), namespaces: new NamespaceTable() }
  const board = new ChangeBoard()
  const wake = (namespace: string, key: EntryKey): void => {
    for (const listeners of audiences.get(namespace) ?? []) {
      queueMicrotask(() => {
        if (audiences.get(namespace)?.has(listeners) === true) listeners.onWake(wakeIdOf(key))
      })
    }
  }
  const server = new MemoryServer(tables, wake, (namespace, change) => {
    if (change.kind !== 'key') return board.announce(namespace, change)
    const { key, token } = change
    board.announce(namespace, { kind: 'key', wakeId: wakeIdOf(key), token: token === undefined ? undefined : Buffer.from(token) })
  })
  return {
    kind: 'memory',
    open(context) {
      const audience = audiences.get(context.namespace) ?? new Set()
      audiences.set(context.namespace, audience)
      // A listener object may be shared by two caches: each still hears every wake-up once.
      const listeners = { ...context.listeners }
      audience.add(listeners)
      queueMicrotask(() => {
        if (!audience.has(listeners)) return
        listeners.onReady(true)
        listeners.onBus(true)
      })
      const unwatch = context.changes === undefined ? undefined : board.watch(context.namespace, { ...context.changes })
      return new MemoryStore(server, board, context, () => {
        unwatch?.()
        audience.delete(listeners)
        if (audience.size === 0 && audiences.get(context.namespace) === audience) audiences.delete(context.namespace)
      })
    },
  }
}

class MemoryStore implements Store {
  readonly #server: MemoryServer
  readonly #board: ChangeBoard
  readonly #context: StoreContext
  readonly #leave: () => void
  #closed = false

  constructor(server: MemoryServer, board: ChangeBoard, context: StoreContext, leave: () => void) {
    this.#server = server
    this.#board = board
    this.#context = context
    this.#leave = leave
  }

  async ready(): Promise<void> {
    this.#checkOpen()
  }

  now(): number {
    return Math.floor(this.#context.clock.wallNow())
  }

  notAfter(_key: EntryKey, timeoutMs: number): number {
    return this.now() + Math.floor(timeoutMs)
  }

  wakeId(key: EntryKey): string {
    return wakeIdOf(key)
  }

  async read(key: EntryKey): Promise<Buffer | null> {
    this.#checkOpen()
    const bytes = this.#server.read(this.#context.namespace, key, this.now())
    return bytes === undefined ? null : Buffer.from(bytes)
  }

  async readHeader(key: EntryKey): Promise<Buffer | null> {
    this.#checkOpen()
    const bytes = this.#server.read(this.#context.namespace, key, this.now())
    return bytes === undefined ? null : Buffer.from(bytes.subarray(0, headerBytes))
  }

  async readMany(keys: readonly EntryKey[]): Promise<readonly StoredBytes[]> {
    return Promise.all(keys.map(key => this.read(key)))
  }

  get namespaceRecord(): Buffer | null {
    return this.#server.record(this.#context.namespace)
  }

  async stamp(request: StampRequest): Promise<Buffer> {
    this.#checkOpen()
    return this.#server.stamp(this.#context.namespace, request, this.#epoch(), this.now())
  }

  async newestTag(request: NewestTagRequest): Promise<number> {
    this.#checkOpen()
    return this.#server.newestTag(this.#context.namespace, request)
  }

  async bumpTags(request: TagsRequest): Promise<void> {
    this.#checkOpen()
    this.#server.bumpTags(this.#context.namespace, request, this.#epoch(), this.now())
  }

  async clear(): Promise<void> {
    this.#checkOpen()
    this.#server.clear(this.#context.namespace, this.#epoch(), this.now())
  }

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    this.#checkOpen()
    return this.#server.acquire(this.#context.namespace, request, this.now())
  }

  async renew(request: RenewRequest): Promise<boolean> {
    this.#checkOpen()
    return this.#server.renew(this.#context.namespace, request, this.now())
  }

  async commit(request: CommitRequest): Promise<CommitReply> {
    this.#checkOpen()
    return this.#server.commit(this.#context.namespace, request, this.now())
  }

  async release(request: ReleaseRequest): Promise<boolean> {
    this.#checkOpen()
    return this.#server.release(this.#context.namespace, request, this.now())
  }

  async put(request: PutRequest): Promise<PutReply> {
    this.#checkOpen()
    return this.#server.put(this.#context.namespace, request, this.now())
  }

  async remove(request: KeyRequest): Promise<void> {
    this.#checkOpen()
    this.#server.remove(this.#context.namespace, request, this.now())
  }

  async expire(request: KeyRequest): Promise<boolean> {
    this.#checkOpen()
    return this.#server.expire(this.#context.namespace, request, this.now())
  }

  async pulse(): Promise<void> {
    this.#checkOpen()
    this.#board.pulse(this.#context.namespace, this.now())
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#leave()
  }

  #epoch(): Buffer {
    return this.#context.random.token().subarray(0, epochBytes)
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError('STORE_UNAVAILABLE', 'not-executed', 'The store is closed')
  }
}

function wakeIdOf({ key, version }: EntryKey): string {
  return `${version}:${key}`
}

function checkOptions(options: MemoryStoreOptions): void {
  if (typeof options !== 'object' || options === null) throw invalidOption('memoryStore', options, 'an object of options')
  for (const name in options) {
    if (!(name in smallest)) throw unknownOption(name, Object.keys(smallest))
  }
  for (const [name, min] of Object.entries(smallest)) {
    const value: unknown = options[name as keyof MemoryStoreOptions]
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= min)) continue
    throw invalidOption(name, value, `a whole number of at least ${min}`)
  }
}
