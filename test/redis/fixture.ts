import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { headerBytes, offset, wireVersion } from '../../src/codec/header.ts'
import { systemClock, systemRandom } from '../../src/core/clock.ts'
import { StoreError } from '../../src/core/errors.ts'
import type { AcquireReply, AcquireRequest, EntryKey, Store, StoreProvider, Token } from '../../src/core/ports.ts'
import { ownNamespace } from '../shared-redis.ts'

/** A client of ioredis 5, as an application that has that version would pass it. */
function redis5(url: string): Redis {
  return new Redis5(url) as unknown as Redis
}

export const versions: readonly (readonly [name: string, create: (url: string) => Redis])[] = [
  ['ioredis 6', url => new Redis(url)],
  ['ioredis 5', redis5],
]

export interface OpenStore {
  readonly store: Store
  readonly namespace: string
  readonly wakes: string[]
  /** What onBus and onReady said, in order. */
  readonly bus: boolean[]
  readonly ready: boolean[]
}

export function openStore(provider: StoreProvider, namespace: string = ownNamespace(), maxKeyBytes = 512): OpenStore {
  const wakes: string[] = []
  const bus: boolean[] = []
  const ready: boolean[] = []
  const store = provider.open({
    namespace,
    clock: systemClock,
    random: systemRandom,
    maxKeyBytes,
    listeners: { onWake: id => wakes.push(id), onBus: live => bus.push(live), onReady: up => ready.push(up) },
  })
  return { store, namespace, wakes, bus, ready }
}

export function newToken(): Token {
  return systemRandom.token()
}

/** Bytes with a header, fresh for `freshMs` by this machine's clock, which is also the server's. */
export function entryBytes(token: Token = newToken(), freshMs = 60_000, payload: Uint8Array = Buffer.from('payload')): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(headerBytes), payload])
  bytes.write('LH', offset.magic)
  bytes[offset.version] = wireVersion
  bytes.writeUIntBE(Date.now() + freshMs, offset.freshUntil, 6)
  bytes.set(token, offset.token)
  return bytes
}

const timeoutMs = 2_000

/** Sends an acquire with what most tests want. */
export function acquire(store: Store, key: EntryKey, token: Token, more: Partial<AcquireRequest> = {}): Promise<AcquireReply> {
  const notAfter = store.notAfter(key, timeoutMs)
  return store.acquire({ ...key, token, leaseMs: 5_000, seen: [], dead: [], wait: false, timeoutMs, notAfter, ...more })
}

export function put(store: Store, key: EntryKey, bytes: Buffer, within: number = timeoutMs): Promise<string> {
  return store.put({ ...key, bytes, keepMs: 60_000, timeoutMs: within, notAfter: store.notAfter(key, within) })
}

export function readHeader(store: Store, key: EntryKey): Promise<Buffer | null> {
  return store.readHeader?.(key, timeoutMs) ?? Promise.reject(new Error('the store has no headers to give'))
}

/** The store error that a command rejects with. */
export async function failure(command: Promise<unknown>): Promise<StoreError> {
  const error = await command.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof StoreError)) throw new Error('the command did not fail with a StoreError', { cause: error })
  return error
}

const deadlineMs = 8_000

/** Polls until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${condition.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** How often a command has run on a server. */
export async function callsOf(admin: Redis, command: string): Promise<number> {
  const stats = await admin.info('commandstats')
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}
