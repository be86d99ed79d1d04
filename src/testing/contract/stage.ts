import assert from 'node:assert/strict'
import { headerBytes, writeHeader } from '../../codec/header.ts'
import { systemClock, systemRandom } from '../../core/clock.ts'
import type {
  AcquireReply,
  AcquireRequest,
  Change,
  ChangeListeners,
  Clock,
  EntryKey,
  Marker,
  Random,
  Store,
  StoreContext,
  Token,
} from '../../core/ports.ts'

/** A store to be put through the contract. */
export interface StoreUnderTest {
  /** Opens one more client of the same store. */
  open(context: StoreContext): Store | Promise<Store>
  /** The clock that opened stores are given. Default: the system's. */
  readonly clock?: Clock
  readonly random?: Random
  /** Lets at least `ms` pass for the store. Default: waits on `clock`. */
  pass?(ms: number): Promise<void>
  /** Lets the store run out of memory, so that it refuses writes, and then again not. Without it those cases are left out. */
  readonly full?: { fill(): Promise<void>; drain(): Promise<void> }
  /** Whether clients may be told of changes, as a trusted local tier wants. Default true; without it those cases are left out. */
  readonly tellsChanges?: boolean
}

/** One client of the store, with the wake-ups it has heard. */
export interface Client {
  readonly store: Store
  readonly wakes: string[]
}

/** One client that is told of changes. */
export interface WatchingClient extends Client {
  readonly changes: Change[]
}

export interface EntryShape {
  /** How long it is fresh from now on, in ms; negative for a stale one. */
  readonly freshMs?: number
  readonly payload?: string
}

/** How long a command may take. Long, since the machine may be slow; no case waits for it to pass. */
export const patienceMs = 10_000
/** A lease or lifetime that does not end during a case. */
export const longMs = 120_000
/** One that does. */
export const shortMs = 150
const pollMs = 5

/** What one case works with: its own namespace, and shorthands that fill in what the case does not care about. */
export class Stage {
  readonly #subject: StoreUnderTest
  readonly #clock: Clock
  readonly #random: Random
  readonly #opened: Store[] = []
  readonly #namespace: string

  constructor(subject: StoreUnderTest) {
    this.#subject = subject
    this.#clock = subject.clock ?? systemClock
    this.#random = subject.random ?? systemRandom
    this.#namespace = `contract-${this.#random.token().toString('hex')}`
  }

  get full(): NonNullable<StoreUnderTest['full']> {
    assert.ok(this.#subject.full, 'the subject cannot run out of memory')
    return this.#subject.full
  }

  /** Another client, in the namespace of the case unless told otherwise, once it and its bus are up. */
  async open(suffix = ''): Promise<Client> {
    return this.#open(suffix, undefined)
  }

  /** Another client that is told of changes, once it can be. */
  async watch(): Promise<WatchingClient> {
    const changes: Change[] = []
    let live = false
    const listeners = { onChange: (change: Change) => void changes.push(change), onLive: (now: boolean) => void (live = now) }
    const client = await this.#open('', listeners)
    await this.eventually(async () => live, 'changes are told')
    return { ...client, changes }
  }

  get patienceMs(): number {
    return patienceMs
  }

  async #open(suffix: string, changes: ChangeListeners | undefined): Promise<Client> {
    const wakes: string[] = []
    let ready = false
    let live = false
    const store = await this.#subject.open({
      namespace: this.#namespace + suffix,
      clock: this.#clock,
      random: this.#random,
      maxKeyBytes: 512,
      changes,
      listeners: {
        onWake: wakeId => void wakes.push(wakeId),
        onReady: now => void (ready = now),
        onBus: now => void (live = now),
      },
    })
    this.#opened.push(store)
    await this.eventually(async () => ready && live, 'the store and its bus come up')
    return { store, wakes }
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map(store => store.close()))
  }

  token(): Token {
    return this.#random.token()
  }

  /** An entry as far as stores look into it: a header, then a payload they do not understand. */
  entry(client: Client, key: EntryKey, token: Token, { freshMs = longMs, payload = 'payload' }: EntryShape = {}): Buffer {
    const bytes = Buffer.concat([Buffer.alloc(headerBytes), Buffer.from(payload)])
    const createdAt = client.store.now(key)
    const freshUntil = createdAt + freshMs
    writeHeader(bytes, {
      createdAt,
      freshUntil,
      hardUntil: freshUntil + longMs,
      loadMs: 5,
      codec: 1,
      compression: 0,
      token,
      payloadBytes: payload.length,
    })
    return bytes
  }

  acquire(client: Client, key: EntryKey, given: Partial<AcquireRequest> = {}): Promise<AcquireReply> {
    return client.store.acquire({
      ...key,
      token: this.token(),
      leaseMs: longMs,
      seen: [],
      dead: [],
      wait: false,
      timeoutMs: patienceMs,
      notAfter: client.store.notAfter(key, patienceMs),
      ...given,
    })
  }

  /** Takes the lease, whatever value stands there. */
  async hold(client: Client, key: EntryKey, given: Partial<AcquireRequest> = {}): Promise<Token> {
    const token = given.token ?? this.token()
    assert.deepEqual(await this.acquire(client, key, { seen: 'any', ...given, token }), { kind: 'granted' })
    return token
  }

  /** Another caller finds the lease taken, and waits. */
  async wait(client: Client, key: EntryKey): Promise<void> {
    const reply = await this.acquire(client, key, { seen: 'any', wait: true })
    assert.equal(reply.kind, 'busy')
  }

  commit(client: Client, key: EntryKey, token: Token, bytes: Buffer, keepMs: number = longMs): Promise<string> {
    return client.store.commit({ ...key, ...this.deadline(client, key), token, bytes, keepMs })
  }

  put(client: Client, key: EntryKey, bytes: Buffer, keepMs: number = longMs): Promise<string> {
    return client.store.put({ ...key, ...this.deadline(client, key), bytes, keepMs })
  }

  /** Stores an entry and returns it with its token. */
  async stored(
    client: Client,
    key: EntryKey,
    shape: EntryShape = {},
    keepMs: number = longMs,
  ): Promise<{ bytes: Buffer; token: Token }> {
    const token = this.token()
    const bytes = this.entry(client, key, token, shape)
    assert.equal(await this.put(client, key, bytes, keepMs), 'stored')
    return { bytes, token }
  }

  read(client: Client, key: EntryKey): Promise<Buffer | null> {
    return client.store.read(key, patienceMs)
  }

  renew(client: Client, key: EntryKey, token: Token, leaseMs: number = longMs): Promise<boolean> {
    return client.store.renew({ ...key, token, leaseMs, timeoutMs: patienceMs })
  }

  release(client: Client, key: EntryKey, token: Token, marker: Marker = { kind: 'none' }): Promise<boolean> {
    return client.store.release({ ...key, token, marker, timeoutMs: patienceMs })
  }

  remove(client: Client, key: EntryKey): Promise<void> {
    return client.store.remove({ ...key, timeoutMs: patienceMs })
  }

  expire(client: Client, key: EntryKey): Promise<boolean> {
    return client.store.expire({ ...key, timeoutMs: patienceMs })
  }

  deadline(client: Client, key: EntryKey): { timeoutMs: number; notAfter: number } {
    return { timeoutMs: patienceMs, notAfter: client.store.notAfter(key, patienceMs) }
  }

  /** A deadline that has passed for the store. */
  past(client: Client, key: EntryKey): { timeoutMs: number; notAfter: number } {
    return { timeoutMs: patienceMs, notAfter: client.store.now(key) - patienceMs }
  }

  /** Who holds the lease, or undefined. Leaves no trace. */
  async holder(client: Client, key: EntryKey): Promise<string | undefined> {
    const token = this.token()
    const reply = await this.acquire(client, key, { seen: 'any', token })
    if (reply.kind === 'granted') assert.equal(await this.release(client, key, token), true)
    return reply.kind === 'busy' ? reply.holder.toString('hex') : undefined
  }

  async pass(ms: number): Promise<void> {
    if (this.#subject.pass !== undefined) return this.#subject.pass(ms)
    await new Promise<void>(resolve => void this.#clock.setTimeout(resolve, ms))
  }

  /** Asks again and again until the answer is yes. */
  async eventually(check: () => Promise<boolean>, what: string): Promise<void> {
    for (let waitedMs = 0; !(await check()); waitedMs += pollMs) {
      assert.ok(waitedMs < patienceMs, `waited in vain until ${what}`)
      await this.pass(pollMs)
    }
  }

  /** Waits until everything published so far has been heard: a wake-up for a key of its own comes after it. */
  async heardAll(client: Client): Promise<void> {
    const key = { key: `heard-${this.token().toString('hex')}`, version: 0 }
    const wakeId = client.store.wakeId(key)
    const token = await this.hold(client, key)
    await this.wait(client, key)
    await this.release(client, key, token)
    await this.eventually(async () => client.wakes.includes(wakeId), 'a wake-up is heard')
    client.wakes.splice(client.wakes.indexOf(wakeId), 1)
  }
}

export type CaseBody = (stage: Stage) => Promise<void>
export type Cases = Readonly<Record<string, CaseBody>>
