import type { Redis, RedisOptions } from 'ioredis'
import type { StoreError } from '../core/errors.ts'
import type { Clock, Timer } from '../core/ports.ts'
import { connectionSettings } from './connection-settings.ts'
import { logInBeforeConnecting, type CredentialSource } from './credentials.ts'
import { again, connectionFailure, hangUp, isUnexplained, notConnected, sentinelFailure, unreachable } from './failures.ts'
import { SocketSilence } from './socket-silence.ts'

/** Why a connection may not be used, and whether another connection may do better. */
export interface Verdict {
  readonly fault: StoreError
  readonly next: 'reconnect' | 'stay'
}

/** What a connection is for: what is asked of the server before it is used, and once a second from then on. */
export interface Upkeep {
  setUp(redis: Redis): Promise<Verdict | undefined>
  check(redis: Redis): Promise<Verdict | undefined>
}

export interface ConnectionOptions {
  /** A client of the caller's kind with these settings. It must not connect by itself. */
  readonly create: (settings: RedisOptions) => Redis
  readonly name: string
  readonly clock: Clock
  readonly upkeep: Upkeep
  /** Undefined: the client has credentials of its own. */
  readonly credentials: CredentialSource | undefined
  /** Called before each attempt after the first. */
  readonly beforeRetry?: ((redis: Redis) => void) | undefined
  /** Called when the connection became usable, and with the fault at every failure. */
  readonly onChange: (fault?: StoreError) => void
}

const checkEveryMs = 1_000
/** The same for a socket that has been answered nothing yet. What its first questions were sent into, such as a network that loses packets, may be over. */
const firstCheckMs = 300
const retrySetUpMs = 100
const settleMs = 50
const maxBackoffMs = 300
/** How long the other side may take to end a connection that we close. */
const endWithinMs = 200

/** One socket to one server, kept up. Nothing is queued while it is down and nothing is ever sent twice. */
export class Connection {
  readonly redis: Redis
  readonly #silence: SocketSilence
  readonly #clock: Clock
  readonly #upkeep: Upkeep
  readonly #onChange: (fault?: StoreError) => void
  #usable = false
  #fault: StoreError | undefined
  /** Goes up when a socket is lost, so that answers about an older one are told apart. */
  #epoch = 0
  #failures = 0
  #asking = false
  /** Something came up while the server was being asked: its answer may be from before that. */
  #doubted = false
  /** A socket stands, and the server has answered nothing. */
  #unanswered = false
  #lastError: unknown
  /** Of the Sentinels that were asked in this round. */
  readonly #sentinelErrors: unknown[] = []
  #timer: Timer | undefined
  #closed = false
  #endFirstAttempt!: () => void
  #firstAttempt: Promise<void> | undefined = new Promise(resolve => (this.#endFirstAttempt = resolve))

  constructor(options: ConnectionOptions) {
    this.#clock = options.clock
    this.#upkeep = options.upkeep
    this.#onChange = options.onChange
    this.redis = options.create({
      ...connectionSettings,
      connectionName: options.name,
      retryStrategy: () => this.#retryMs(options.beforeRetry),
      sentinelRetryStrategy: () => this.#sentinelRetryMs(),
    })
    this.#silence = new SocketSilence(this.redis)
    if (options.credentials !== undefined) {
      logInBeforeConnecting(this.redis, options.credentials, {
        clock: this.#clock,
        closed: () => this.#closed,
        onFault: fault => this.#setFault(fault),
        retryMs: () => this.#backoffMs(),
      })
    }
    let heard: unknown
    this.redis.on('error', (error: unknown) => {
      this.#lastError = error
      const { stream } = this.redis
      // Errors of Sentinel's connector come between two sockets, while the last one is still to be seen.
      if (stream === heard) return
      heard = stream
      // The client hears one error of a socket. After a TLS handshake that failed there may be another, which would end the process.
      stream?.on('error', () => {})
    })
    this.redis.on('sentinelError', (error: unknown) => this.#sentinelErrors.push(error))
    // What Sentinel's connector complains of before there is a socket, such as that it has asked every sentinel and starts over, says nothing of the socket.
    this.redis.on('connect', () => {
      this.#lastError = undefined
      this.#sentinelErrors.length = 0
      this.#unanswered = true
      this.#silence.watch()
      this.#arm(this.#paceMs())
    })
    this.redis.on('ready', () => void this.#ask('setUp'))
    this.redis.on('close', () => this.#lost())
    // An attempt that did not come as far as a socket ends without closing one.
    this.redis.on('end', () => this.#lost())
  }

  open(): void {
    this.redis.connect().catch(() => {})
    this.#arm(checkEveryMs)
  }

  /** Whether the connection stands and its server is one to be used. */
  get usable(): boolean {
    return this.#usable
  }

  /** Why it is not usable. Every call that asks gets an error of its own. */
  get fault(): StoreError {
    return this.#fault === undefined ? notConnected() : again(this.#fault)
  }

  /** Before the first attempt to connect has ended, well or badly: a promise of its end. Afterwards nothing is waited for. */
  get firstAttempt(): Promise<void> | undefined {
    return this.#firstAttempt
  }

  /** Asks the server now whether it may still be used. For replies that leave a doubt. */
  doubt(): void {
    if (this.#asking) this.#doubted = true
    else if (this.#usable) void this.#ask('check')
  }

  /** Gives the socket up and connects anew. */
  reconnect(fault: StoreError): void {
    this.#setFault(fault)
    this.#failures++
    this.redis.disconnect(true)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#setFault(notConnected())
    const { redis } = this
    // Between two sockets there is nothing to end.
    const ending = redis.status === 'connecting' || redis.status === 'connect' || redis.status === 'ready'
    const ended = new Promise<void>(resolve => void redis.once('end', () => resolve()))
    redis.disconnect()
    if (!ending) return
    let timer: Timer | undefined
    // While Sentinel is asked there is no socket yet that could be ended.
    const waited = new Promise<void>(resolve => (timer = this.#clock.setTimeout(resolve, endWithinMs)))
    await Promise.race([ended, waited])
    if (timer !== undefined) this.#clock.clearTimeout(timer)
  }

  #retryMs(beforeRetry: ConnectionOptions['beforeRetry']): number | null {
    if (this.#closed) return null
    beforeRetry?.(this.redis)
    return this.#backoffMs()
  }

  /** Every Sentinel was asked, and none has named a primary. The client starts over, within the same attempt to connect. */
  #sentinelRetryMs(): number | null {
    if (this.#closed) return null
    this.#setFault(sentinelFailure(this.#sentinelErrors.splice(0)))
    return this.#backoffMs()
  }

  #backoffMs(): number {
    const ceiling = Math.min(maxBackoffMs, 10 * 2 ** Math.min(this.#failures, 10))
    this.#failures++
    return ceiling * (0.5 + Math.random() / 2)
  }

  #lost(): void {
    if (this.#closed) return
    this.#epoch++
    this.#asking = false
    const error = this.#lastError
    this.#lastError = undefined
    const mute = this.#unanswered ? this.#hangUp(error) : undefined
    this.#unanswered = false
    const unexplained = (): StoreError => this.#fault ?? (this.#usable ? notConnected() : unreachable('it hangs up'))
    this.#setFault(mute ?? (error === undefined ? unexplained() : connectionFailure(error)))
  }

  #hangUp(error: unknown): StoreError | undefined {
    const overTls = this.#silence.encrypted
    // Bytes of the handshake are none of an answer.
    return overTls || this.#silence.bytesRead === 0 ? hangUp(error, overTls) : undefined
  }

  async #ask(question: keyof Upkeep): Promise<void> {
    const epoch = this.#epoch
    this.#asking = true
    this.#doubted = false
    this.#silence.watch()
    let verdict: Verdict | undefined
    try {
      // A handshake that failed in part, as a database that does not exist, leaves a socket that must not be used.
      verdict =
        this.#lastError === undefined
          ? await this.#upkeep[question](this.redis)
          : { fault: connectionFailure(this.#lastError), next: 'reconnect' }
    } catch (error) {
      verdict = { fault: connectionFailure(error), next: 'stay' }
    }
    if (epoch !== this.#epoch || this.#closed || this.redis.status !== 'ready') return
    this.#asking = false
    // The socket has been lost, and its end, which is about to be told, says more.
    if (verdict !== undefined && isUnexplained(verdict.fault)) return
    this.#unanswered = false
    if (verdict === undefined) {
      // What is learnt while connecting is coarse: look again soon.
      if (question === 'setUp') this.#arm(settleMs)
      this.#setUsable()
      if (this.#doubted) this.doubt()
    } else if (verdict.next === 'reconnect') this.reconnect(verdict.fault)
    else {
      this.#setFault(verdict.fault)
      // A server that is loading its data is asked again soon, a refusal at the ordinary pace.
      if (verdict.fault.code === 'STORE_UNAVAILABLE') this.#arm(retrySetUpMs)
    }
  }

  /** Over TLS a server to which many connect at once may take long to answer each: more connections would not help it. */
  #paceMs(): number {
    return this.#unanswered && !this.#silence.encrypted ? firstCheckMs : checkEveryMs
  }

  #tick(): void {
    this.#arm(this.#paceMs())
    const { status } = this.redis
    if (status === 'ready' && !this.#asking) void this.#ask(this.#usable ? 'check' : 'setUp')
    else if (status === 'ready' || status === 'connect') this.#listen()
    else if (status === 'end') this.redis.connect().catch(() => {})
    else this.#silence.watch()
  }

  /** A question is open. A server that sends nothing at all is taken for dead, and its socket destroyed. */
  #listen(): void {
    const epoch = this.#epoch
    this.#silence.check(() => {
      if (epoch !== this.#epoch) return
      this.#lastError = unreachable('it does not answer')
      this.redis.stream.destroy()
    })
  }

  #arm(delayMs: number): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = this.#clock.setTimeout(() => this.#tick(), delayMs)
    this.#clock.unref(this.#timer)
  }

  #setUsable(): void {
    this.#failures = 0
    this.#fault = undefined
    this.#firstAttempt = undefined
    this.#endFirstAttempt()
    if (this.#usable) return
    this.#usable = true
    this.#onChange()
  }

  #setFault(fault: StoreError): void {
    this.#fault = fault
    this.#usable = false
    this.#firstAttempt = undefined
    this.#endFirstAttempt()
    this.#onChange(fault)
  }
}
